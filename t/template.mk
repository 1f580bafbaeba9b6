# Tests of templates and conversations.
check_PROGRAMS += %D%/t2500-jinja-cases.t %D%/t2510-template-renderings.t %D%/t2520-jinja-limits.t \
	%D%/t2525-jinja-memory.t %D%/t2530-jinja-spans.t %D%/t2540-prompt-ids.t %D%/t2560-template-injections.t
dist_check_SCRIPTS += %D%/t2550-template-verb.sh

# Fuzz targets, beside the one in format.mk: what "make fuzz" builds and tells how to run.
FUZZ_TEXT = $(FUZZ_FORMAT) \
	engine/text/vocab.c engine/text/special.c engine/text/presplit.c engine/text/bpe.c engine/text/spm.c \
	engine/text/encode.c engine/text/detok.c engine/text/jinja.c engine/text/jinja_heap.c engine/text/jinja_val.c \
	engine/text/jinja_lex.c engine/text/jinja_parse.c engine/text/jinja_block.c engine/text/jinja_expr.c \
	engine/text/jinja_stmt.c engine/text/jinja_attr.c engine/text/jinja_call.c engine/text/jinja_lib.c \
	engine/text/jinja_tests.c engine/text/jinja_str.c engine/text/jinja_seq.c engine/text/jinja_text.c \
	engine/text/jinja_num.c engine/text/jinja_json.c \
	%D%/lib/tap.c %D%/lib/tmp.c %D%/lib/ggufmake.c
FUZZ_TEXT_LIBS = $(PCRE2_LIBS) $(JANSSON_LIBS) $(UNISTRING_LIBS) -lpthread -lm
fuzz: fuzz-text
fuzz-text: %D%/fuzz/fuzz_jinja %D%/fuzz/fuzz_tokenizer
	$(MKDIR_P) %D%/fuzz/jinja %D%/fuzz/tokenizer
	-cp "$(TIDBIT_DATA)"/templates/files/*.jinja %D%/fuzz/jinja 2>/dev/null
	printf 'AA the <|im_end|> 12' >%D%/fuzz/tokenizer/seed
	@echo "and:  %D%/fuzz/fuzz_jinja -max_len=16384 -timeout=1 -rss_limit_mb=512 -max_total_time=600 %D%/fuzz/jinja"
	@echo "and:  %D%/fuzz/fuzz_tokenizer -max_len=4096 -timeout=1 -rss_limit_mb=512 -max_total_time=600 %D%/fuzz/tokenizer"
%D%/fuzz/fuzz_jinja: %D%/fuzz/fuzz_jinja.c %D%/lib/jinja-cases.c $(FUZZ_TEXT)
	$(MKDIR_P) %D%/fuzz
	cd $(srcdir) && $(FUZZ_CC) $(FUZZ_FLAGS) $(UNISTRING_CFLAGS) -I'$(abs_builddir)' -I. -o '$(abs_builddir)'/$@ \
		%D%/fuzz/fuzz_jinja.c %D%/lib/jinja-cases.c $(FUZZ_TEXT) $(FUZZ_TEXT_LIBS)
%D%/fuzz/fuzz_tokenizer: %D%/fuzz/fuzz_tokenizer.c %D%/lib/tok.c $(FUZZ_TEXT)
	$(MKDIR_P) %D%/fuzz
	cd $(srcdir) && $(FUZZ_CC) $(FUZZ_FLAGS) $(UNISTRING_CFLAGS) -I'$(abs_builddir)' -I. -o '$(abs_builddir)'/$@ \
		%D%/fuzz/fuzz_tokenizer.c %D%/lib/tok.c $(FUZZ_TEXT) $(FUZZ_TEXT_LIBS)
clean-local: clean-fuzz-text
clean-fuzz-text:
	rm -rf %D%/fuzz/jinja %D%/fuzz/tokenizer %D%/fuzz/fuzz_jinja %D%/fuzz/fuzz_tokenizer
.PHONY: fuzz-text clean-fuzz-text
EXTRA_DIST += %D%/fuzz/fuzz_jinja.c %D%/fuzz/fuzz_tokenizer.c
