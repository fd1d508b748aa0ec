package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.stream.Stream;

/// What an agent that did not end in good order leaves behind: control groups with or without processes, processes
/// of sandboxes, staged folders. All of it carries the label of its state folder, and only that is touched.
final class Leftovers {
    private static final System.Logger LOG = System.getLogger(Leftovers.class.getName());

    private final Path folder;
    private final String label;

    /// @param folder real path of this agent's sandbox folder
    Leftovers(Path folder) {
        this.folder = folder;
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(folder.toString().getBytes(StandardCharsets.UTF_8));
            this.label = "vigil-" + HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }

    /// Names the control groups and processes of this state folder.
    String label() {
        return label;
    }

    /// Notes where control groups are made, for a later start that may find itself elsewhere.
    void remember(List<Path> homes) throws IOException {
        Files.write(book(), homes.stream().map(Path::toString).toList());
    }

    void reap() throws IOException {
        int processes = killProcesses();
        var homes = new LinkedHashSet<Path>();
        if (Files.exists(book())) {
            // A line is taken only if it ends in our label: the file decides where processes are killed.
            Files.readAllLines(book()).stream()
                    .map(Path::of)
                    .filter(home -> home.endsWith(label))
                    .forEach(homes::add);
        }
        int groups = Cgroups.reap(List.copyOf(homes));
        Launcher.deleteTree(folder.resolve("handlers"));
        try (Stream<Path> canaries = Files.list(folder)) {
            for (Path file : canaries.filter(
                            path -> path.getFileName().toString().startsWith("canary-"))
                    .toList()) {
                Files.delete(file);
            }
        }
        if (processes + groups > 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "event=leftovers_reaped processes={0} groups={1}; the agent before did not end in good order",
                    processes,
                    groups);
        }
    }

    private int killProcesses() throws IOException {
        int killed = 0;
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes.toList()) {
                String name = process.getFileName().toString();
                if (name.chars().allMatch(Character::isDigit) && isOurs(process)) {
                    Pids.signal(Integer.parseInt(name), Libc.SIGKILL);
                    killed++;
                }
            }
        }
        return killed;
    }

    private boolean isOurs(Path process) {
        try {
            String arguments = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
            return List.of(arguments.split("\0")).contains(label);
        } catch (IOException e) {
            return false; // it ended, or is another user's
        }
    }

    private Path book() {
        return folder.resolve("cgroups");
    }
}
