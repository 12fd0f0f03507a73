# Builds for 64-bit Windows with Debian's mingw-w64. MINGW_PREFIX: what tests/windows/libraries made.
#   cmake -B build-windows -DCMAKE_TOOLCHAIN_FILE=tests/windows/toolchain.cmake -DMINGW_PREFIX=FOLDER
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
# With threads of POSIX: the other kind of this compiler has no std::thread.
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# Kept for the little projects by which CMake tries things: they read this file again.
set(MINGW_PREFIX "$ENV{MINGW_PREFIX}" CACHE PATH "Libraries that were built for Windows")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MINGW_PREFIX)

# Programs are this machine's, all else Windows's alone.
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 ${MINGW_PREFIX})
list(APPEND CMAKE_PREFIX_PATH ${MINGW_PREFIX})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${MINGW_PREFIX}/lib/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")

# Windows 10 and Server 2016. This compiler believes the stack to be aligned for AVX, which it is not there: moves that
# need no alignment cost nothing.
set(CMAKE_CXX_FLAGS_INIT "-D_WIN32_WINNT=0x0A00 -DNOMINMAX -DWIN32_LEAN_AND_MEAN -Wa,-muse-unaligned-vector-move")
set(CMAKE_C_FLAGS_INIT "${CMAKE_CXX_FLAGS_INIT}")
# One file: no DLLs of the compiler's beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -static-libgcc -static-libstdc++")
