package dev.vigil.agent.sandbox;

/// What one sandbox may use.
///
/// @param memoryBytes    RAM and swap together, its /tmp included
/// @param pids           processes and threads, the sandbox's own two included
/// @param cpus           processors' worth of time, as `1.5`
/// @param tmpBytes       size of /tmp
/// @param openFiles      file descriptors of one process
/// @param fileBytes      greatest length of one file
public record Limits(long memoryBytes, int pids, double cpus, long tmpBytes, int openFiles, long fileBytes) {
    private static final long MIB = 1L << 20;

    /// What a handler gets that asks for nothing, and the most it may ask for.
    public static final Limits DEFAULT = new Limits(2048 * MIB, 100, 2, 64 * MIB, 256, 256 * MIB);

    public Limits {
        between("memory", memoryBytes, 16 * MIB, 1L << 40);
        between("pids", pids, 8, 32_768);
        between("tmp", tmpBytes, MIB, 1L << 40);
        between("open_files", openFiles, 16, 65_536);
        between("file_size", fileBytes, MIB, 1L << 40);
        if (!(cpus >= 0.01 && cpus <= 1024)) {
            throw new IllegalArgumentException("limits.cpus is " + cpus + "; use 0.01 to 1024");
        }
    }

    Limits withPids(int other) {
        return new Limits(memoryBytes, other, cpus, tmpBytes, openFiles, fileBytes);
    }

    Limits withMemoryBytes(long other) {
        return new Limits(other, pids, cpus, tmpBytes, openFiles, fileBytes);
    }

    private static void between(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("limits." + name + " is " + value + "; use " + least + " to " + most);
        }
    }
}
