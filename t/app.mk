# Tests of the command line and of app/.
dist_check_SCRIPTS += %D%/t9000-cli-version.sh
