# Tests of the tree itself and of engine/base.
dist_check_SCRIPTS += %D%/t0001-layers.sh
check_PROGRAMS += %D%/t0100-xio-put.t
