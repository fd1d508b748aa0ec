package dev.vigil.agent.sandbox;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/// A process just started, with the agent's end of each of its descriptors: 0 to 2 as usual, 3 the private
/// channel, 4 the gate it waits at, 5 where bwrap tells the number of its child.
record Started(
        int pid,
        OutputStream stdin,
        Output stdout,
        Output stderr,
        SocketChannel channel,
        OutputStream gate,
        InputStream info) {
    static final int CHANNEL_FD = 3;
    static final int GATE_FD = 4;
    static final int INFO_FD = 5;
    static final int FILTER_FD = 6;

    /// Starts a process; must be called on the launcher's thread.
    ///
    /// @param filter opened for the child under [#FILTER_FD]
    static Started start(Launcher launcher, List<String> command, Path filter) throws IOException {
        var children = new ArrayList<Integer>();
        var ours = new ArrayList<AutoCloseable>();
        try {
            OutputStream stdin = toChild(children, ours);
            Output stdout = output(children, ours);
            Output stderr = output(children, ours);
            Launcher.Channel channel = launcher.channel();
            children.add(channel.child());
            ours.add(channel.agent());
            OutputStream gate = toChild(children, ours);
            InputStream info = fromChild(children, ours);
            var descriptors = new HashMap<Integer, Integer>();
            for (int number = 0; number < children.size(); number++) {
                descriptors.put(number, children.get(number));
            }
            int pid = Spawn.start(new Spawn.Order(command, descriptors, filter, FILTER_FD));
            return new Started(pid, stdin, stdout, stderr, channel.agent(), gate, info);
        } catch (IOException e) {
            ours.forEach(Started::closeQuietly);
            throw e;
        } finally {
            children.forEach(Libc::close);
        }
    }

    private static OutputStream toChild(List<Integer> children, List<AutoCloseable> ours) throws IOException {
        Libc.Pipe pipe = Libc.pipe();
        children.add(Libc.park(pipe.readEnd()));
        try {
            // Opening the pipe once more by its number gives the JDK a descriptor of its own to keep and to close.
            var stream = new FileOutputStream("/proc/self/fd/" + pipe.writeEnd());
            ours.add(stream);
            return stream;
        } finally {
            Libc.close(pipe.writeEnd());
        }
    }

    private static Output output(List<Integer> children, List<AutoCloseable> ours) throws IOException {
        Libc.Pipe pipe = Libc.pipe();
        children.add(Libc.park(pipe.writeEnd()));
        var stream = new Output(new FileInputStream("/proc/self/fd/" + pipe.readEnd()), pipe.readEnd());
        ours.add(stream);
        return stream;
    }

    private static InputStream fromChild(List<Integer> children, List<AutoCloseable> ours) throws IOException {
        Libc.Pipe pipe = Libc.pipe();
        children.add(Libc.park(pipe.writeEnd()));
        try {
            var stream = new FileInputStream("/proc/self/fd/" + pipe.readEnd());
            ours.add(stream);
            return stream;
        } finally {
            Libc.close(pipe.readEnd());
        }
    }

    /// Closes what the agent writes to; the child sees the end of its input.
    void closeInputs() {
        closeQuietly(gate);
        closeQuietly(stdin);
        closeQuietly(channel);
        closeQuietly(info);
    }

    void closeOutputs() {
        closeQuietly(stdout);
        closeQuietly(stderr);
    }

    static void closeQuietly(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            System.getLogger(Started.class.getName()).log(System.Logger.Level.DEBUG, "event=close_failed", e);
        }
    }
}
