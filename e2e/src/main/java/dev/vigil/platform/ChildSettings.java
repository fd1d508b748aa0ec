package dev.vigil.platform;

import java.nio.file.Path;
import java.util.Map;

/// One service in a process of its own.
///
/// @param service       what it is
/// @param name          for log and messages, `worker-1`
/// @param heapMegabytes its largest heap
/// @param settings      its settings; they may hold secrets and travel through its standard input
/// @param log           file that takes what it prints
record ChildSettings(Child.Service service, String name, int heapMegabytes, Map<String, String> settings, Path log) {
    ChildSettings {
        settings = Map.copyOf(settings);
    }

    @Override
    public String toString() {
        return name;
    }
}
