#!/usr/bin/env python3
# Runs a command and kills it (SIGKILL) at its Nth system call, all its threads counted together: the call is not made.
#
#   kill-at.py N REPORT COMMAND...    N = 0 lets it live; exits with COMMAND's code, or -9 as 137
#
# REPORT tells as JSON how many calls began, which one it died at, and which of these marks were passed before:
#   sent         the last byte of a token request was handed to the kernel
#   answered     the first bytes of a reply came out of the kernel
#   journalled   the sealed reply is in the journal, which a kill cannot undo
# Linux on x86-64 and arm64, with Python alone. strace counts by name and thread, and so never kills at the third write
# of a thread when another thread wrote three times before.
import ctypes, json, os, platform, signal, struct, sys

TRACEME, CONT, SETOPTIONS, SYSCALL, GET_SYSCALL_INFO = 0, 7, 0x4200, 24, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 0x10, 0x100000
WALL = 0x40000000
NAMES = {
    "x86_64": {0: "read", 1: "write", 3: "close", 9: "mmap", 10: "mprotect", 11: "munmap", 18: "pwrite64", 75: "fdatasync", 20: "writev", 41: "socket",
               42: "connect", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 56: "clone", 74: "fsync",
               202: "futex", 231: "exit_group", 257: "openat", 263: "unlinkat", 264: "renameat", 271: "ppoll",
               7: "poll", 316: "renameat2", 435: "clone3"},
    "aarch64": {63: "read", 64: "write", 57: "close", 68: "pwrite64", 83: "fdatasync", 222: "mmap", 226: "mprotect", 215: "munmap", 66: "writev",
                198: "socket", 203: "connect", 206: "sendto", 207: "recvfrom", 211: "sendmsg", 212: "recvmsg",
                220: "clone", 82: "fsync", 98: "futex", 94: "exit_group", 56: "openat", 35: "unlinkat",
                38: "renameat", 73: "ppoll", 276: "renameat2", 435: "clone3"},
}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

info = ctypes.create_string_buffer(88)

def system_call(thread):
    """("begins", number, arguments) or ("ends", result)."""
    ptrace(GET_SYSCALL_INFO, thread, len(info), ctypes.addressof(info))
    if info[0] == b"\1": 
        number, *arguments = struct.unpack_from("7Q", info, 24)
        return "begins", number, arguments
    return "ends", struct.unpack_from("q", info, 24)[0]

def memory(thread, address, length):
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        try: return memory.read(length)
        except OSError: return b""

def mark(thread, name, arguments, result):
    """Which mark a call has passed that has just ended."""
    if name in ("write", "sendto") and result > 0 and b"grant_type=refresh_token" in memory(thread, arguments[1], result):
        return "sent"
    if name in ("read", "recvfrom") and result > 0 and memory(thread, arguments[1], 7) == b"HTTP/1.":
        return "answered"
    if name == "pwrite64" and result == arguments[2]:
        return "journalled" if os.readlink(f"/proc/{thread}/fd/{arguments[0]}").endswith(".journal") else None

def run(kill_at, command):
    child = os.fork()
    if child == 0:
        ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execvp(command[0], command)
    os.waitpid(child, 0)
    ptrace(SETOPTIONS, child, 0, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL)
    ptrace(CONT, child)
    running, begun, marks, counting, calls = {child}, {}, [], False, 0
    last, code = None, None
    while running:
        thread, status = os.waitpid(-1, WALL)
        running.add(thread)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            running.discard(thread)
            if thread == child: code = os.waitstatus_to_exitcode(status)
            continue
        stop, event, deliver = os.WSTOPSIG(status), status >> 16, 0
        try:
            if event == 4: counting = True  # EXEC: the command begins
            elif stop == signal.SIGTRAP | 0x80:
                what = system_call(thread)
                if what[0] == "begins":
                    name = NAMES.get(what[1], f"number {what[1]}")
                    begun[thread] = name, what[2]
                    calls += counting
                    if counting and calls == kill_at:
                        last = name
                        os.kill(child, signal.SIGKILL)
                        continue
                elif thread in begun:
                    passed = mark(thread, *begun.pop(thread), what[1])
                    if passed and passed not in marks: marks.append(passed)
            elif event == 0 and stop not in (signal.SIGSTOP, signal.SIGTRAP): deliver = stop
            ptrace(SYSCALL if counting else CONT, thread, 0, deliver)
        except ProcessLookupError:
            pass  # killed meanwhile
    return code, {"calls": calls, "died_at": last, "marks": marks}

if len(sys.argv) < 4:
    sys.exit("usage: kill-at.py N REPORT COMMAND...")
code, report = run(int(sys.argv[1]), sys.argv[3:])
with open(sys.argv[2], "w") as file: json.dump(report, file)
sys.exit(128 - code if code < 0 else code)
