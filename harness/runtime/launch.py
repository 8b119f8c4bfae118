"""Becomes a child's command after tying it to its supervisor: run as
`python -I -S launch.py PARENT USER REACH LOCALE -- COMMAND…`.

A script of its own instead of a `preexec_fn`: Python code between fork and exec may deadlock on a lock that another
thread held at the fork. It imports nothing of the package, costs about 15 ms, and leaves no process behind (exec).

PARENT  pid of the supervisor; the kernel kills the command when it dies (prctl(2) PR_SET_PDEATHSIG)
USER    `uid:gid` to drop to, or `-`
REACH   `reach`: the dropped user may still pass and read folders that are closed to it (PostgreSQL refuses to run as
        root, but its program or data may lie under a 0700 folder of root's); or `-`
LOCALE  LC_CTYPE of the command's environment, or `-` when it has none: this interpreter may have set it (PEP 538)
"""

import ctypes
import os
import signal
import sys

# <linux/prctl.h>, <linux/securebits.h>, <linux/capability.h>
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def main(arguments: list[str]) -> None:
    parent, user, reach, locale, _, *command = arguments
    try:
        if user != "-":
            uid, gid = (int(number) for number in user.split(":"))
            _become(uid, gid, reach=reach == "reach")
        if sys.platform == "linux":
            # After the change of user, which clears it; an exec that gains nothing keeps it (capabilities(7)).
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != int(parent):  # it died before the kernel was told
                os._exit(0)
        # An ignored signal stays ignored through exec: the interpreter ignores two, a shell more (nohup, a job with &).
        for number in signal.valid_signals():
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # a blocked one stays blocked too, and SIGTERM would end nothing
        environment = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}
        if locale != "-":
            environment["LC_CTYPE"] = locale
        os.execvpe(command[0], command, environment)
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _become(uid: int, gid: int, *, reach: bool) -> None:
    """Changes user for good. With `reach` one capability stays, in the ambient set, so that it survives the exec.

    SECBIT_NO_SETUID_FIXUP: without it access(2), with which PostgreSQL looks at its own program, drops capabilities of
    whoever is not root.
    """
    if sys.platform == "linux" and reach:
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)  # root: real, effective and saved
    if sys.platform == "linux":
        if reach:
            _keep_only(CAP_DAC_READ_SEARCH) or _keep_only(CAP_DAC_OVERRIDE, required=True)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _keep_only(capability: int, *, required: bool = False) -> bool:
    """Gives up every capability but one. Of the two the first is the lesser; containers often grant only the other."""
    bit = 1 << capability
    sets = (_Sets * 2)()
    sets[0] = _Sets(bit, bit, bit)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), sets) != 0:
        if required:
            raise OSError(ctypes.get_errno(), "the right to pass closed folders (CAP_DAC_OVERRIDE) is missing")
        return False
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
    return True


def _prctl(option: int, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = (*values, 0, 0, 0, 0)[:4]
    if libc.prctl(option, *(ctypes.c_ulong(value) for value in padded)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


if __name__ == "__main__":
    main(sys.argv[1:])
