package dev.vigil.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What one platform is made of.
///
/// @param data              folder for everything that is stored
/// @param port              public port of the API on the loopback interface; 0 takes a free one
/// @param handlers          folder with one sub-folder per handler; null for those that come with Vigil only
/// @param approveHandlers   whether the handlers of that folder are approved at once
/// @param workers           worker processes, 0 to 16
/// @param cores             scheduler cores, 1 to 8; the first runs beside the other services, each further one is a
///                          process of its own
/// @param allowUnsandboxed  whether handlers may run without a sandbox where none works
/// @param otherServer       a PostgreSQL to use; null for one of its own
/// @param programs          folder below which the programs of PostgreSQL are unpacked; may be shared by platforms
record PlatformSettings(
        Path data,
        int port,
        @Nullable Path handlers,
        boolean approveHandlers,
        int workers,
        int cores,
        boolean allowUnsandboxed,
        @Nullable OtherServer otherServer,
        Path programs) {
    private static final int WORKERS_MAX = 16;
    private static final int CORES_MAX = 8;

    public PlatformSettings {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("--port is " + port + "; use 1 to 65535, or 0 for a free one");
        }
        if (workers < 0 || workers > WORKERS_MAX) {
            throw new IllegalArgumentException("--workers is " + workers + "; use 0 to " + WORKERS_MAX);
        }
        if (cores < 1 || cores > CORES_MAX) {
            throw new IllegalArgumentException("--cores is " + cores + "; use 1 to " + CORES_MAX);
        }
        if (handlers != null && !Files.isDirectory(handlers)) {
            throw new IllegalArgumentException("--handlers is " + handlers + ", which is no folder; name one that holds"
                    + " a sub-folder with a handler.yaml for each handler");
        }
        if (handlers == null && approveHandlers) {
            throw new IllegalArgumentException(
                    "--approve-handlers without --handlers approves nothing; add --handlers");
        }
        data = data.toAbsolutePath().normalize();
        handlers = handlers == null ? null : handlers.toAbsolutePath().normalize();
        programs = programs.toAbsolutePath().normalize();
    }

    /// One worker, one core, sandboxed, on a free port, with the handlers that come with Vigil.
    static PlatformSettings in(Path data) {
        Path programs = Path.of(System.getProperty("user.home"), ".cache", "vigil");
        return new PlatformSettings(data, 0, null, false, 1, 1, false, null, programs);
    }
}
