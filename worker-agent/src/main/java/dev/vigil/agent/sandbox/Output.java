package dev.vigil.agent.sandbox;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// What a process writes to stdout or stderr. Waiting and reading are two calls, so that a thread that waits holds
/// nothing, and whoever wants to know what has been written *by now* reads what is available and has it all.
public final class Output extends FilterInputStream {
    private static final int LOOK_MILLIS = 60_000;

    private final int fd;

    /// @param fd a descriptor of the same pipe, closed with the stream
    Output(InputStream in, int fd) {
        super(in);
        this.fd = fd;
    }

    /// Waits until something can be read, or nobody is left who could write.
    ///
    /// @return false at the end
    public boolean awaitMore() throws IOException {
        Libc.Pollable found = Libc.poll(fd, LOOK_MILLIS);
        while (found == Libc.Pollable.NOTHING_YET) {
            found = Libc.poll(fd, LOOK_MILLIS);
        }
        return found == Libc.Pollable.BYTES;
    }

    @Override
    public void close() throws IOException {
        super.close();
        Libc.close(fd);
    }
}
