package dev.vigil.platform;

import java.time.Instant;
import java.util.Optional;

/// A process in a file: its number in the first line, its start in the second, because numbers are given out again.
final class ProcessMark {
    /// The kernel counts starts in ticks since boot; two readers may round differently.
    private static final long ROUNDING_MILLIS = 2_000;

    private ProcessMark() {}

    static String of(ProcessHandle process) {
        return process.pid() + "\n" + start(process) + "\n";
    }

    static Optional<ProcessHandle> living(String mark) {
        String[] words = mark.strip().split("\\s+", 2);
        if (words.length != 2) {
            return Optional.empty();
        }
        try {
            long start = Long.parseLong(words[1]);
            return ProcessHandle.of(Long.parseLong(words[0]))
                    .filter(ProcessHandle::isAlive)
                    .filter(process -> Math.abs(start(process) - start) <= ROUNDING_MILLIS);
        } catch (NumberFormatException halfWritten) {
            return Optional.empty();
        }
    }

    private static long start(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }
}
