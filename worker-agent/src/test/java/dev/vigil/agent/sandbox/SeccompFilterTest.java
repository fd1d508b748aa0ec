package dev.vigil.agent.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.agent.sandbox.SeccompFilter.Machine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The filter, run by an interpreter of classic BPF (Linux `net/core/filter.c` semantics) for both machines. That
/// the kernel takes it and obeys is shown by the attacks of `HostileHandlerTest` on the machine at hand.
class SeccompFilterTest {
    private static final int ALLOW = 0x7fff_0000;
    private static final int KILL = 0x8000_0000;
    private static final int ERROR = 0x0005_0000;
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    private static final int EPROTONOSUPPORT = 93;
    private static final int EAFNOSUPPORT = 97;
    private static final int CLONE_THREAD_FLAGS = 0x003d_0f00;

    /// What the filter answers to a system call.
    private static int verdict(Machine machine, int architecture, int number, long... arguments) {
        var data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(0, number).putInt(4, architecture);
        for (int i = 0; i < arguments.length; i++) {
            data.putLong(16 + 8 * i, arguments[i]);
        }
        var program = ByteBuffer.wrap(SeccompFilter.program(machine)).order(ByteOrder.LITTLE_ENDIAN);
        int accumulator = 0;
        int at = 0;
        while (true) {
            int code = program.getShort(at);
            int then = Byte.toUnsignedInt(program.get(at + 2));
            int otherwise = Byte.toUnsignedInt(program.get(at + 3));
            int value = program.getInt(at + 4);
            at += 8;
            switch (code) {
                case 0x20 -> accumulator = data.getInt(value);
                case 0x54 -> accumulator &= value;
                case 0x15 -> at += 8 * (accumulator == value ? then : otherwise);
                case 0x35 -> at += 8 * (Integer.compareUnsigned(accumulator, value) >= 0 ? then : otherwise);
                case 0x45 -> at += 8 * ((accumulator & value) != 0 ? then : otherwise);
                case 0x06 -> {
                    return value;
                }
                default -> throw new AssertionError("unknown instruction " + code);
            }
        }
    }

    private static int verdict(Machine machine, String name, long... arguments) {
        return verdict(machine, machine.architecture(), machine.number(name), arguments);
    }

    @ParameterizedTest
    @EnumSource
    void every_refused_call_answers_eperm_and_its_neighbours_pass(Machine machine) {
        var refused = machine.refused();
        for (int number : refused) {
            assertThat(verdict(machine, machine.architecture(), number)).isEqualTo(ERROR | EPERM);
        }

        assertThat(refused).doesNotHaveDuplicates().hasSizeGreaterThan(55);
        int passed = 0;
        for (int number = 0; number < 470; number++) {
            passed += verdict(machine, machine.architecture(), number) == ALLOW ? 1 : 0;
        }
        assertThat(passed).isGreaterThan(380);
    }

    @ParameterizedTest
    @EnumSource
    void a_foreign_architecture_kills(Machine machine) {
        int i386 = 0x4000_0003;

        assertThat(verdict(machine, i386, 1)).isEqualTo(KILL);
    }

    @Test
    void the_x32_table_kills() {
        assertThat(verdict(Machine.X86_64, Machine.X86_64.architecture(), 0x4000_0001))
                .isEqualTo(KILL);
        assertThat(verdict(Machine.X86_64, Machine.X86_64.architecture(), -1)).isEqualTo(KILL);
    }

    @ParameterizedTest
    @EnumSource
    void threads_and_forks_pass_namespaces_do_not(Machine machine) {
        assertThat(verdict(machine, "clone", CLONE_THREAD_FLAGS)).isEqualTo(ALLOW);
        assertThat(verdict(machine, "clone", 17)).isEqualTo(ALLOW);
        for (int flag : new int[] {0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000}) {
            assertThat(verdict(machine, "clone", flag | 17)).isEqualTo(ERROR | EPERM);
        }
        assertThat(verdict(machine, "clone3")).isEqualTo(ERROR | ENOSYS);
    }

    @ParameterizedTest
    @EnumSource
    void unix_tcp_and_udp_sockets_pass_and_no_others(Machine machine) {
        int cloexec = 0x80000;
        for (long family : new long[] {2, 10}) {
            assertThat(verdict(machine, "socket", family, 1 | cloexec, 0)).isEqualTo(ALLOW);
            assertThat(verdict(machine, "socket", family, 1, 6)).isEqualTo(ALLOW);
            assertThat(verdict(machine, "socket", family, 2 | cloexec, 17)).isEqualTo(ALLOW);
            assertThat(verdict(machine, "socket", family, 3, 1)).as("raw").isEqualTo(ERROR | EPERM);
            assertThat(verdict(machine, "socket", family, 2, 1)).as("ping").isEqualTo(ERROR | EPROTONOSUPPORT);
            assertThat(verdict(machine, "socket", family, 1, 262)).as("mptcp").isEqualTo(ERROR | EPROTONOSUPPORT);
        }
        assertThat(verdict(machine, "socket", 1, 5, 0)).as("unix").isEqualTo(ALLOW);
        for (long family : new long[] {16, 17, 38, 40}) {
            assertThat(verdict(machine, "socket", family, 1, 0)).isEqualTo(ERROR | EAFNOSUPPORT);
        }
        assertThat(verdict(machine, "socket", 0x1_0000_0028L, 1, 0))
                .as("the kernel looks at 32 bits, and so does the filter")
                .isEqualTo(ERROR | EAFNOSUPPORT);
    }

    @ParameterizedTest
    @EnumSource
    void terminals_cannot_be_typed_into(Machine machine) {
        assertThat(verdict(machine, "ioctl", 0, 0x5412)).isEqualTo(ERROR | EPERM);
        assertThat(verdict(machine, "ioctl", 0, 0x1_0000_5412L)).isEqualTo(ERROR | EPERM);
        assertThat(verdict(machine, "ioctl", 0, 0x541c)).isEqualTo(ERROR | EPERM);
        assertThat(verdict(machine, "ioctl", 0, 0x5401)).as("isatty").isEqualTo(ALLOW);
    }

    @ParameterizedTest
    @EnumSource
    void personality_can_be_asked_and_not_changed(Machine machine) {
        assertThat(verdict(machine, "personality", 0xffff_ffffL)).isEqualTo(ALLOW);
        assertThat(verdict(machine, "personality", 0)).isEqualTo(ALLOW);
        assertThat(verdict(machine, "personality", 0x0040000)).isEqualTo(ERROR | EPERM);
    }

    @Test
    void an_unknown_machine_has_no_filter() {
        assertThat(Machine.of("riscv64")).isEmpty();
        assertThat(Machine.of("amd64")).contains(Machine.X86_64);
        assertThat(Machine.of("aarch64")).contains(Machine.AARCH64);
    }
}
