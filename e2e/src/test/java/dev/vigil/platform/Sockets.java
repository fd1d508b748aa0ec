package dev.vigil.platform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The sockets of processes, by the inode numbers that `/proc` shows.
final class Sockets {
    private static final Pattern SOCKET = Pattern.compile("socket:\\[(\\d+)]");

    private Sockets() {}

    static List<String> of(List<ProcessHandle> processes) throws IOException {
        var inodes = new ArrayList<String>();
        for (ProcessHandle process : processes) {
            Path folder = Path.of("/proc", Long.toString(process.pid()), "fd");
            if (Files.isDirectory(folder)) {
                try (Stream<Path> descriptors = Files.list(folder)) {
                    descriptors.forEach(descriptor -> inode(descriptor, inodes));
                }
            }
        }
        return inodes;
    }

    private static void inode(Path descriptor, List<String> inodes) {
        try {
            Matcher socket = SOCKET.matcher(Files.readSymbolicLink(descriptor).toString());
            if (socket.matches()) {
                inodes.add(socket.group(1));
            }
        } catch (IOException closedSince) {
            inodes.remove(descriptor.toString());
        }
    }
}
