# Tests of quant.
