profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = %D%/stories260K.gguf %D%/stories260K.txt %D%/families.conf %D%/keys.conf %D%/themes.conf
