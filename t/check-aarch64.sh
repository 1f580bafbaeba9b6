#!/bin/sh
# check-aarch64.sh SOURCE [TEST...]: builds the engine for aarch64 in ./aarch64 with Debian's cross
# compiler and runs its tests by qemu-user: all of them on a processor with dot products, those of
# kernels and models once more on one without.
#
# AARCH64_ROOT=DIR names a folder into which the libraries' arm64 packages were unpacked (dpkg -x);
# without it they are looked for where a foreign architecture's packages are installed.
#
# Exit status: that of the tests; 77, and one line that says what is missing, where this cannot be done.
set -u
source=$1
shift
host=aarch64-linux-gnu
root=${AARCH64_ROOT:-}
libs=$root/usr/lib/$host

missing=
need() {	# need PACKAGE COMMAND...: the package is missing where the command fails
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}
need gcc-$host command -v $host-gcc
need libc6-dev-arm64-cross test -e /usr/$host/include/stdio.h
need qemu-user command -v qemu-aarch64
need libpcre2-dev:arm64 test -e "$libs/pkgconfig/libpcre2-8.pc"
need libjansson-dev:arm64 test -e "$libs/pkgconfig/jansson.pc"
need libunistring-dev:arm64 test -e "$libs/libunistring.a"
if [ -n "$missing" ]; then
	echo "check-aarch64: SKIP, missing:$missing (packages of Debian; those for arm64 after dpkg --add-architecture arm64)"
	exit 77
fi

set -e
mkdir -p aarch64
# A tree that was configured itself cannot be the source of another build: what a release holds is copied.
if [ -e "$source/config.status" ]; then
	${MAKE:-make} distdir distdir=aarch64/source >/dev/null
	source=../aarch64/source
fi
cd aarch64
if [ ! -e Makefile ]; then
	PKG_CONFIG_LIBDIR=$libs/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root "$source/configure" --host=$host \
		--enable-engine-only --enable-werror CPPFLAGS="${root:+-I$root/usr/include}" LDFLAGS="${root:+-L$libs}"
fi

# The libc that the libraries were installed with, or else the cross compiler's.
if [ -e "$libs/libc.so.6" ]; then loader=${root:-/}; else loader=/usr/$host; fi
emulate() {	# emulate PROCESSOR TEST...
	cpu=$1
	shift
	echo "check-aarch64: as $cpu"
	${MAKE:-make} check QEMU_LD_PREFIX="$loader" T_LOG_COMPILER="qemu-aarch64 -cpu $cpu -E LD_LIBRARY_PATH=$libs" \
		${1:+TESTS="$*"}
}
TEST_PATIENCE=30
export TEST_PATIENCE
emulate max "$@"
emulate cortex-a72 ${*:-t/t3000-kern-mul.t t/t3100-kern-ops.t t/t4000-model-logits.t}
echo "check-aarch64: all passed"
