package dev.vigil.agent.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CgroupsTest {
    private static final String V1 = "33 25 0:30 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory";
    private static final String V2 = "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

    @Test
    void own_groups_are_found_under_version_1_and_2() {
        var hybrid = new CgroupMounts(
                List.of(V1, V2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ")),
                List.of("4:memory:/user/one", "3:cpu,cpuacct:/", "0::/user.slice/x.scope"));

        assertThat(hybrid.own("memory")).contains(Path.of("/sys/fs/cgroup/memory/user/one"));
        assertThat(hybrid.own("pids")).isEmpty();
        assertThat(hybrid.unified())
                .containsExactly(
                        Path.of("/sys/fs/cgroup/unified/user.slice/x.scope"), Path.of("/sys/fs/cgroup/unified"));
    }

    @Test
    void a_container_that_sees_only_its_part_of_the_hierarchy_is_understood() {
        var container = new CgroupMounts(
                List.of(V1.replace(" / /sys", " /docker/abc /sys")), List.of("4:memory:/docker/abc/worker"));

        assertThat(container.own("memory")).contains(Path.of("/sys/fs/cgroup/memory/worker"));
    }

    @Test
    void without_a_writable_group_there_is_none() {
        assertThat(Cgroups.find("vigil-test", new CgroupMounts(List.of(), List.of("0::/"))))
                .isEmpty();
        assertThat(Cgroups.find(
                        "vigil-test",
                        new CgroupMounts(List.of(V2.replace("/sys/fs/cgroup ", "/proc ")), List.of("0::/"))))
                .isEmpty();
    }

    @Test
    void limits_are_written_as_asked() throws IOException {
        Optional<Cgroups> found = Cgroups.find("vigil-" + UUID.randomUUID());
        assumeTrue(found.isPresent(), "no writable control group here: the agent would say limits=rlimit");
        try (Cgroups cgroups = found.get()) {
            Cgroup group = cgroups.create("one", new Limits(64L << 20, 20, 0.5, 1L << 20, 64, 1L << 20));
            try {
                assertThat(read(group, "memory.limit_in_bytes", "memory.max")).isEqualTo("" + (64L << 20));
                assertThat(read(group, "pids.max")).isEqualTo("20");
                assertThat(read(group, "cpu.cfs_quota_us", "cpu.max")).isIn("50000", "50000 100000");
                if (Files.exists(Path.of("/sys/fs/cgroup/memory"))) {
                    assertThat(read(group, "memory.memsw.limit_in_bytes")).isEqualTo("" + (64L << 20));
                } else {
                    assertThat(read(group, "memory.swap.max")).isEqualTo("0");
                }
            } finally {
                assertThat(group.remove()).isTrue();
            }
        }
    }

    @Test
    void the_kill_switch_of_version_2_empties_a_group() throws Exception {
        Path top = CgroupMounts.ofThisProcess().unified().stream()
                .filter(Files::isWritable)
                .findFirst()
                .orElse(Path.of("/nowhere"));
        Path folder = top.resolve("vigil-" + UUID.randomUUID());
        assumeTrue(Files.exists(top), "no writable cgroup v2 here");
        Files.createDirectory(folder);
        var group = new Cgroup(List.of(folder), true, folder.resolve("memory.events"));
        Process process = new ProcessBuilder("/bin/sh", "-c", "trap '' TERM; sleep 65 & sleep 65").start();
        Files.writeString(folder.resolve("cgroup.procs"), "" + process.pid());

        boolean emptied = Cgroups.empty(group);

        assertThat(emptied).isTrue();
        assertThat(process.waitFor()).isEqualTo(137);
        assertThat(folder).doesNotExist();
    }

    private static String read(Cgroup group, String... names) throws IOException {
        for (Path folder : group.folders()) {
            for (String name : names) {
                if (Files.exists(folder.resolve(name))) {
                    return Files.readString(folder.resolve(name)).strip();
                }
            }
        }
        throw new AssertionError("none of " + List.of(names));
    }
}
