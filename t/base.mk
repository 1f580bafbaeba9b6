# Tests of the tree itself and of engine/base.
dist_check_SCRIPTS += %D%/t0001-layers.sh
check_PROGRAMS += %D%/t0100-xio-put.t
t_t0100_xio_put_t_SOURCES = %D%/t0100-xio-put.c
t_t0100_xio_put_t_LDADD = $(TEST_LIBS)
