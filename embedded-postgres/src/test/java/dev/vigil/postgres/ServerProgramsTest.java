package dev.vigil.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerProgramsTest {
    @Test
    void several_may_unpack_at_once_and_leave_one_folder(@TempDir Path home) throws Exception {
        Callable<Path> unpack = () -> ServerPrograms.unpackTo(home);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(threads.invokeAll(Collections.nCopies(3, unpack)))
                    .extracting(Future::resultNow)
                    .allSatisfy(dir -> assertThat(dir.resolve("bin/postgres")).isExecutable())
                    .doesNotContainNull();
        }
        try (var left = Files.list(home)) {
            assertThat(left).hasSize(1);
        }
    }
}
