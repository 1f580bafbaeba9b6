# Tests of kernels.
check_PROGRAMS += %D%/t3000-kern-mul.t %D%/t3100-kern-ops.t %D%/t3200-probe.t
EXTRA_DIST += %D%/helper/blocks.h
noinst_PROGRAMS += %D%/helper/kernbench
t_helper_kernbench_LDADD = $(ENGINE_LDADD)
