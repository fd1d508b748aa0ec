package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessTest {
    private static final int MORE_THAN_ANY_MACHINE_HAS = 1 << 30;
    private static final int MORE_THAN_A_PIPE_HOLDS = 1 << 20;

    @TempDir
    private Path folder;

    @Test
    void a_child_that_ends_before_it_has_read_its_settings_is_started_again() throws Exception {
        Map<String, String> settings = Map.of("unread", "x".repeat(MORE_THAN_A_PIPE_HOLDS));
        var never = new ChildSettings(
                Child.Service.WORKER, "worker-1", MORE_THAN_ANY_MACHINE_HAS, settings, folder.resolve("worker-1.log"));
        var starts = new CountDownLatch(2);

        try (var _ = new ChildProcess(never, (name, process) -> starts.countDown())) {
            assertThat(starts.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(folder.resolve("worker-1.log")).content().contains("heap");
    }
}
