package dev.vigil.platform;

import dev.vigil.agent.AgentMain;
import dev.vigil.scheduler.CoreService;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.springframework.context.ConfigurableApplicationContext;

/// The main of a service in a process of its own. Its settings, secrets among them, come through standard input,
/// and the process ends when that ends: so none outlives the platform that started it, however that ended.
final class Child {
    private static final String END_OF_SETTINGS = ".";
    private static final long STOP_SECONDS_MAX = 8;

    /// What can run in a process of its own.
    enum Service {
        /// A worker.
        WORKER("worker"),
        /// A scheduler core beside the first one; the cache of the services' JVM holds its classes too.
        CORE("server");

        private final String startCache;

        Service(String startCache) {
            this.startCache = startCache;
        }

        String startCache() {
            return startCache;
        }
    }

    private Child() {}

    /// Runs one service.
    ///
    /// @param args the service's name
    static void main(String[] args) throws IOException {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<String, String> settings = receive(input);
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> endWith(input));
        start(Service.valueOf(args[0]), settings);
    }

    private static void start(Service service, Map<String, String> settings) {
        switch (service) {
            case WORKER ->
                AgentMain.main(settings.entrySet().stream()
                        .map(entry -> "--" + entry.getKey() + "=" + entry.getValue())
                        .toArray(String[]::new));
            case CORE -> {
                ConfigurableApplicationContext core = CoreService.start(settings);
                Runtime.getRuntime().addShutdownHook(new Thread(core::close, "core-stop"));
            }
        }
    }

    /// Writes the settings for a child; its input stays open.
    static void send(Map<String, String> settings, OutputStream input) throws IOException {
        var properties = new Properties();
        properties.putAll(new TreeMap<>(settings));
        var text = new StringWriter();
        properties.store(text, null);
        input.write((text + END_OF_SETTINGS + "\n").getBytes(StandardCharsets.UTF_8));
        input.flush();
    }

    /// Reads what [#send] wrote.
    static Map<String, String> receive(BufferedReader input) throws IOException {
        var text = new StringBuilder();
        for (String line = input.readLine(); !END_OF_SETTINGS.equals(line); line = input.readLine()) {
            if (line == null) {
                throw new IOException("the launcher ended before it had sent all settings");
            }
            text.append(line).append('\n');
        }
        var properties = new Properties();
        properties.load(new StringReader(text.toString()));
        var settings = new HashMap<String, String>();
        properties.stringPropertyNames().forEach(name -> settings.put(name, properties.getProperty(name)));
        return settings;
    }

    /// Waits for the end of the input, then stops the service; halts when stopping takes too long.
    private static void endWith(BufferedReader input) {
        try {
            while (input.read() >= 0) {
                // Nothing is sent after the settings.
            }
        } catch (IOException gone) {
            System.getLogger(Child.class.getName()).log(System.Logger.Level.DEBUG, "input closed", gone);
        }
        if (!StartCache.training()) {
            Thread.ofPlatform().daemon().name("last-resort").start(Child::haltLater);
        }
        System.exit(0);
    }

    private static void haltLater() {
        try {
            TimeUnit.SECONDS.sleep(STOP_SECONDS_MAX);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(1);
    }
}
