# Tests of format.
