package dev.vigil.agent.sandbox;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The system calls that a handler may make, as a classic BPF program (seccomp(2), Linux `struct sock_filter`: 8
/// bytes an instruction). A foreign architecture or the x32 table kills the process; calls that only an attacker or
/// an administrator needs answer EPERM; the rest passes.
final class SeccompFilter {
    /// `struct seccomp_data`: number, architecture, instruction pointer, six arguments of 64 bits, little-endian.
    private static final int NUMBER = 0;
    private static final int ARCHITECTURE = 4;
    private static final int ARGUMENTS = 16;

    private static final int KILL_PROCESS = 0x8000_0000;
    private static final int ALLOW = 0x7fff_0000;
    private static final int ERROR = 0x0005_0000;
    private static final int EPERM = ERROR | 1;
    private static final int ENOSYS = ERROR | 38;
    private static final int EPROTONOSUPPORT = ERROR | 93;
    private static final int EAFNOSUPPORT = ERROR | 97;

    private static final short LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private static final short AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
    private static final short EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private static final short AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    private static final short ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private static final short RETURN = 0x06; // BPF_RET | BPF_K

    /// CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID and NET. CLONE_NEWTIME is clone3's alone: clone keeps a signal
    /// there.
    private static final int NEW_NAMESPACES = 0x7e02_0000;

    private static final int AF_UNIX = 1;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_TYPE_MASK = 0xf;
    private static final int TIOCSTI = 0x5412;
    private static final int TIOCLINUX = 0x541c;
    private static final int X32 = 0x4000_0000;

    /// Name, number on x86_64, number on aarch64; `-` where it does not exist. Reaching into other processes,
    /// loading code into the kernel, mounts and namespaces, clocks and host-wide state, key rings, and parts of the
    /// kernel with a long record of holes (io_uring, userfaultfd, bpf, perf).
    private static final String REFUSED = """
            ptrace 101 117
            process_vm_readv 310 270
            process_vm_writev 311 271
            process_madvise 440 440
            kcmp 312 272
            pidfd_getfd 438 438
            bpf 321 280
            perf_event_open 298 241
            userfaultfd 323 282
            io_uring_setup 425 425
            io_uring_enter 426 426
            io_uring_register 427 427
            name_to_handle_at 303 264
            open_by_handle_at 304 265
            kexec_load 246 104
            kexec_file_load 320 294
            create_module 174 -
            init_module 175 105
            finit_module 313 273
            delete_module 176 106
            get_kernel_syms 177 -
            query_module 178 -
            mount 165 40
            umount2 166 39
            pivot_root 155 41
            chroot 161 51
            mount_setattr 442 442
            move_mount 429 429
            open_tree 428 428
            open_tree_attr 467 467
            fsopen 430 430
            fsconfig 431 431
            fsmount 432 432
            fspick 433 433
            unshare 272 97
            setns 308 268
            swapon 167 224
            swapoff 168 225
            reboot 169 142
            sethostname 170 161
            setdomainname 171 162
            iopl 172 -
            ioperm 173 -
            modify_ldt 154 -
            acct 163 89
            quotactl 179 60
            quotactl_fd 443 443
            settimeofday 164 170
            clock_settime 227 112
            clock_adjtime 305 266
            adjtimex 159 171
            syslog 103 116
            add_key 248 217
            request_key 249 218
            keyctl 250 219
            vhangup 153 58
            lookup_dcookie 212 18
            nfsservctl 180 42
            uselib 134 -
            ustat 136 -
            sysfs 139 -
            _sysctl 156 -
            mbind 237 235
            set_mempolicy 238 237
            set_mempolicy_home_node 450 450
            migrate_pages 256 238
            move_pages 279 239
            fanotify_init 300 262
            fanotify_mark 301 263
            memfd_secret 447 447
            """;

    /// Calls whose arguments decide.
    private static final String EXAMINED = """
            clone3 435 435
            clone 56 220
            socket 41 198
            ioctl 16 29
            personality 135 92
            """;

    /// The processors that the filter knows.
    enum Machine {
        X86_64(0xc000_003e, 1),
        AARCH64(0xc000_00b7, 2);

        private final int audit;
        private final int column;

        Machine(int audit, int column) {
            this.audit = audit;
            this.column = column;
        }

        int architecture() {
            return audit;
        }

        /// The machine of a JVM.
        ///
        /// @param name the JDK's `os.arch`
        static Optional<Machine> of(String name) {
            return switch (name) {
                case "amd64" -> Optional.of(X86_64);
                case "aarch64" -> Optional.of(AARCH64);
                default -> Optional.empty();
            };
        }

        /// The numbers that answer EPERM whatever their arguments are.
        List<Integer> refused() {
            return REFUSED.lines()
                    .map(line -> line.split(" ")[column])
                    .filter(number -> !number.equals("-"))
                    .map(Integer::valueOf)
                    .toList();
        }

        int number(String name) {
            return EXAMINED.lines()
                    .map(line -> line.split(" "))
                    .filter(fields -> fields[0].equals(name))
                    .mapToInt(fields -> Integer.parseInt(fields[column]))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private final List<long[]> program = new ArrayList<>();

    private SeccompFilter() {}

    /// The program for a machine, in the machine's byte order, which is little-endian for both.
    static byte[] program(Machine machine) {
        var filter = new SeccompFilter();
        filter.write(machine);
        var out = ByteBuffer.allocate(filter.program.size() * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (long[] step : filter.program) {
            out.putShort((short) step[0])
                    .put((byte) step[1])
                    .put((byte) step[2])
                    .putInt((int) step[3]);
        }
        return out.array();
    }

    private void write(Machine machine) {
        step(LOAD, ARCHITECTURE);
        jump(EQUAL, machine.architecture(), 1, 0);
        step(RETURN, KILL_PROCESS);
        step(LOAD, NUMBER);
        if (machine == Machine.X86_64) {
            jump(AT_LEAST, X32, 0, 1);
            step(RETURN, KILL_PROCESS);
        }
        jump(EQUAL, machine.number("clone3"), 0, 1);
        // Its flags lie in memory, where a filter cannot look. The C library falls back to clone.
        step(RETURN, ENOSYS);
        for (int number : machine.refused()) {
            jump(EQUAL, number, 0, 1);
            step(RETURN, EPERM);
        }
        cloneWithoutNamespaces(machine.number("clone"));
        socketOfOrdinaryKind(machine.number("socket"));
        ioctlWithoutTyping(machine.number("ioctl"));
        personalityOfLinux(machine.number("personality"));
        step(RETURN, ALLOW);
    }

    private void cloneWithoutNamespaces(int number) {
        jump(EQUAL, number, 0, 4);
        argument(0);
        jump(ANY_BIT, NEW_NAMESPACES, 0, 1);
        step(RETURN, EPERM);
        step(RETURN, ALLOW);
    }

    /// UNIX sockets of every type; TCP and UDP over IPv4 and IPv6. Not netlink, packet, vsock (no namespace covers
    /// it), raw, nor protocols that make the kernel load a module.
    private void socketOfOrdinaryKind(int number) {
        jump(EQUAL, number, 0, 17);
        argument(0);
        jump(EQUAL, AF_UNIX, 0, 1);
        step(RETURN, ALLOW);
        jump(EQUAL, AF_INET, 2, 0);
        jump(EQUAL, AF_INET6, 1, 0);
        step(RETURN, EAFNOSUPPORT);
        argument(1);
        step(AND, SOCK_TYPE_MASK);
        jump(EQUAL, 1, 2, 0); // SOCK_STREAM
        jump(EQUAL, 2, 1, 0); // SOCK_DGRAM
        step(RETURN, EPERM);
        argument(2);
        jump(EQUAL, 0, 3, 0);
        jump(EQUAL, 6, 2, 0); // IPPROTO_TCP
        jump(EQUAL, 17, 1, 0); // IPPROTO_UDP
        step(RETURN, EPROTONOSUPPORT);
        step(RETURN, ALLOW);
    }

    /// Not the two requests that type into a terminal. The kernel looks at 32 bits of the request, and so do we.
    private void ioctlWithoutTyping(int number) {
        jump(EQUAL, number, 0, 5);
        argument(1);
        jump(EQUAL, TIOCSTI, 1, 0);
        jump(EQUAL, TIOCLINUX, 0, 1);
        step(RETURN, EPERM);
        step(RETURN, ALLOW);
    }

    private void personalityOfLinux(int number) {
        jump(EQUAL, number, 0, 5);
        argument(0);
        jump(EQUAL, 0, 2, 0);
        jump(EQUAL, 0xffff_ffff, 1, 0); // asks, changes nothing
        step(RETURN, EPERM);
        step(RETURN, ALLOW);
    }

    private void argument(int index) {
        step(LOAD, ARGUMENTS + 8 * index);
    }

    private void step(short code, int value) {
        program.add(new long[] {code, 0, 0, value});
    }

    /// @param then how many instructions to leave out when it holds
    /// @param otherwise how many when it does not
    private void jump(short code, int value, int then, int otherwise) {
        program.add(new long[] {code, then, otherwise, value});
    }
}
