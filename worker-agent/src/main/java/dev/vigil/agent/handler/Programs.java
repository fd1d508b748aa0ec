package dev.vigil.agent.handler;

import dev.vigil.agent.sandbox.JavaInside;
import dev.vigil.agent.sandbox.Limits;
import dev.vigil.agent.sandbox.SandboxOrder;
import dev.vigil.agent.sandbox.Sandboxes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What can run here: handlers from folders, copied to where sandboxes can read them, and the built-in `demo.*`.
final class Programs {
    private static final System.Logger LOG = System.getLogger(Programs.class.getName());
    private static final String DEMO_VERSION = "1";

    private final Map<String, Program> programs;
    /// Names that were read but cannot run here, and why.
    private final Map<String, String> notHere;

    /// A handler, and what starts a process of it.
    record Program(Handler handler, SandboxOrder order) {}

    private Programs(Map<String, Program> programs, Map<String, String> notHere) {
        this.programs = programs;
        this.notHere = notHere;
    }

    static List<Handler> read(List<Path> folders) throws HandlerUnreadableException {
        var handlers = new TreeMap<String, Handler>();
        for (Path folder : folders) {
            for (Handler handler : Handler.readAll(folder)) {
                refuseTwice(handlers.put(handler.name(), handler), handler);
            }
        }
        return List.copyOf(handlers.values());
    }

    static Programs stage(List<Handler> handlers, boolean demo, Sandboxes sandboxes)
            throws IOException, HandlerUnreadableException {
        var programs = new TreeMap<String, Program>();
        var notHere = new HashMap<String, String>();
        if (sandboxes.sandbox().isEmpty()) {
            return new Programs(programs, notHere);
        }
        if (demo) {
            stageDemo(sandboxes, programs);
        }
        for (Handler handler : handlers) {
            if (handler.notHere() != null) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "event=handler_not_here handler={0}: {1}",
                        handler.name(),
                        handler.notHere());
                notHere.put(handler.name(), handler.notHere());
                continue;
            }
            Path staged = sandboxes.stage(handler.name(), handler.folder());
            var order = new SandboxOrder(staged, handler.command(), handler.limits(), Map.of());
            Program other = programs.put(handler.name(), new Program(handler, order));
            refuseTwice(other == null ? null : other.handler(), handler);
        }
        return new Programs(programs, notHere);
    }

    private static void refuseTwice(@Nullable Handler other, Handler handler) throws HandlerUnreadableException {
        if (other != null) {
            throw new HandlerUnreadableException("handler " + handler.name() + " is there twice: " + other.folder()
                    + " and " + handler.folder() + "; rename one");
        }
    }

    private static void stageDemo(Sandboxes sandboxes, Map<String, Program> programs) throws IOException {
        JavaInside java = sandboxes.java().orElseThrow();
        List<String> command = java.command(DemoHandler.class.getName(), List.of());
        Path staged = sandboxes.stage("demo", DemoHandler.class, DemoHandler.CLASSES);
        var order = new SandboxOrder(staged, command, Limits.DEFAULT, java.extra());
        for (String name : DemoHandler.NAMES) {
            var handler = new Handler(
                    name,
                    DEMO_VERSION,
                    staged,
                    command,
                    Isolation.POOLED,
                    Optional.empty(),
                    Optional.empty(),
                    Limits.DEFAULT,
                    null);
            programs.put(name, new Program(handler, order));
        }
    }

    Optional<Program> find(String handler) {
        return Optional.ofNullable(programs.get(handler));
    }

    String whyNot(String handler) {
        String why = notHere.get(handler);
        return why != null ? "handler " + handler + " cannot run here: " + why : "no handler " + handler + " here";
    }

    List<Program> all() {
        return new ArrayList<>(programs.values());
    }
}
