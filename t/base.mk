# Tests of the tree itself and of engine/base.
dist_check_SCRIPTS += %D%/t0001-layers.sh
