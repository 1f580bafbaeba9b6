# Tests of kernels.
EXTRA_DIST += %D%/helper/blocks.h
noinst_PROGRAMS += %D%/helper/kernbench
t_helper_kernbench_SOURCES = %D%/helper/kernbench.c
t_helper_kernbench_LDADD = $(ENGINE_LDADD)
check_PROGRAMS += %D%/t3000-kern-mul.t
t_t3000_kern_mul_t_SOURCES = %D%/t3000-kern-mul.c
t_t3000_kern_mul_t_LDADD = $(TEST_LIBS)
check_PROGRAMS += %D%/t3100-kern-ops.t
t_t3100_kern_ops_t_SOURCES = %D%/t3100-kern-ops.c
t_t3100_kern_ops_t_LDADD = $(TEST_LIBS)
check_PROGRAMS += %D%/t3200-probe.t
t_t3200_probe_t_SOURCES = %D%/t3200-probe.c
t_t3200_probe_t_LDADD = $(TEST_LIBS)
