package dev.vigil.agent.handler;

import dev.vigil.agent.sandbox.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A handler as its folder describes it.
///
/// @param name        the name that tasks use, `[a-z0-9]` words joined by `.`, `-` or `_`
/// @param version     free text, for people
/// @param folder      its files; the working directory of its processes, read-only to them
/// @param command     program and arguments; empty when it has an image instead
/// @param isolation   pooled or fresh
/// @param inputSchema JSON Schema of the input, checked by the API when a task is created
/// @param secretsAllowed names of secrets its tasks may refer to, `*` at the end for any; the API keeps to what an
/// admin
///                    approved
/// @param limits      what a process of it may use
/// @param notHere     why this worker cannot run it; null when it can
public record Handler(
        String name,
        String version,
        Path folder,
        List<String> command,
        Isolation isolation,
        Optional<Map<String, Object>> inputSchema,
        Optional<List<String>> secretsAllowed,
        Limits limits,
        @Nullable String notHere) {

    /// Reads the handlers of a folder that holds one sub-folder per handler, in the order of their names.
    ///
    /// @throws HandlerUnreadableException when the folder or one of them cannot be read
    public static List<Handler> readAll(Path parent) throws HandlerUnreadableException {
        if (!Files.isDirectory(parent)) {
            throw new HandlerUnreadableException(
                    parent + " is not a folder; name one that holds a sub-folder per handler");
        }
        List<Path> folders;
        try (Stream<Path> children = Files.list(parent)) {
            folders = children.filter(Files::isDirectory)
                    .filter(child -> !child.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new HandlerUnreadableException("the handlers of " + parent + " cannot be listed: " + e, e);
        }
        var byName = new TreeMap<String, Handler>();
        for (Path folder : folders) {
            Handler handler = HandlerYaml.read(folder);
            Handler other = byName.put(handler.name(), handler);
            if (other != null) {
                throw new HandlerUnreadableException("two folders are handler " + handler.name() + ": " + other.folder()
                        + " and " + folder + "; rename one");
            }
        }
        return List.copyOf(byName.values());
    }

    public boolean runsHere() {
        return notHere == null;
    }
}
