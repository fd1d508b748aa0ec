package dev.vigil.agent.handler;

import dev.vigil.agent.sandbox.Limits;
import java.io.IOException;
import java.io.Reader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/// Reads `handler.yaml`. Unknown fields are errors: a misspelt `netwrok: none` must not pass for a wish that was
/// heard.
final class HandlerYaml {
    private static final String FILE = "handler.yaml";
    private static final int CHARACTERS_MAX = 256 * 1024;
    private static final Pattern NAME = Pattern.compile("[a-z0-9]+([._-][a-z0-9]+)*");
    private static final int NAME_MAX = 100;
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,12}) ?(B|KB|MB|GB)?");
    private static final Set<String> FIELDS = Set.of(
            "name",
            "version",
            "command",
            "image",
            "isolation",
            "input_schema",
            "secrets_allowed",
            "network",
            "limits",
            "description");
    private static final Set<String> LIMITS = Set.of("memory", "pids", "cpus", "tmp", "open_files", "file_size");

    private final Path file;
    private final Map<String, Object> fields;

    private HandlerYaml(Path file, Map<String, Object> fields) {
        this.file = file;
        this.fields = fields;
    }

    static Handler read(Path folder) throws HandlerUnreadableException {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new HandlerUnreadableException(folder + " has no " + FILE + "; write one, or move the folder away");
        }
        var options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        options.setCodePointLimit(CHARACTERS_MAX);
        options.setMaxAliasesForCollections(0);
        try (Reader reader = Files.newBufferedReader(file)) {
            Object document = new Yaml(new SafeConstructor(options)).load(reader);
            return new HandlerYaml(file, strings(file, "the file", document)).handler(folder);
        } catch (YAMLException e) {
            throw new HandlerUnreadableException(file + " is not readable YAML: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new HandlerUnreadableException(file + " cannot be read: " + e, e);
        }
    }

    private Handler handler(Path folder) throws HandlerUnreadableException {
        known("", fields.keySet(), FIELDS);
        String name = text("name");
        if (!NAME.matcher(name).matches() || name.length() > NAME_MAX) {
            throw wrong("name", name, "words of a-z and 0-9 joined by '.', '-' or '_', at most 100 characters");
        }
        List<String> command = command();
        String notHere = null;
        if (fields.containsKey("image")) {
            if (!command.isEmpty()) {
                throw wrong("image", text("image"), "either command or image, not both");
            }
            notHere = "it needs a container engine for image " + text("image") + "; this worker runs commands only";
        } else if (command.isEmpty()) {
            throw new HandlerUnreadableException(file + ": command is missing; write command: [program, argument]");
        }
        String network = network();
        if (!network.equals("none") && notHere == null) {
            notHere = "it asks for network " + network + "; sandboxes of this worker have none";
        }
        return new Handler(
                name,
                scalar("version", fields.get("version")),
                folder.toAbsolutePath().normalize(),
                command,
                isolation(),
                inputSchema(),
                secretsAllowed(),
                limits(),
                notHere);
    }

    private Isolation isolation() throws HandlerUnreadableException {
        String text = text("isolation");
        return switch (text) {
            case "pooled" -> Isolation.POOLED;
            case "fresh" -> Isolation.FRESH;
            default -> throw wrong("isolation", text, "pooled or fresh");
        };
    }

    private List<String> command() throws HandlerUnreadableException {
        Object value = fields.get("command");
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> parts) || parts.isEmpty()) {
            throw wrong("command", value, "a list, as [python3, handler.py]");
        }
        var command = new ArrayList<String>(parts.size());
        for (Object part : parts) {
            command.add(scalar("command", part));
        }
        return List.copyOf(command);
    }

    private String network() throws HandlerUnreadableException {
        Object value = fields.getOrDefault("network", "none");
        if (value instanceof List<?> hosts) {
            return hosts.isEmpty() ? "none" : hosts.toString();
        }
        if (!"none".equals(value)) {
            throw wrong("network", value, "none, or a list of hosts");
        }
        return "none";
    }

    private Optional<Map<String, Object>> inputSchema() throws HandlerUnreadableException {
        Object value = fields.get("input_schema");
        return value == null ? Optional.empty() : Optional.of(strings(file, "input_schema", value));
    }

    private Optional<List<String>> secretsAllowed() throws HandlerUnreadableException {
        Object value = fields.get("secrets_allowed");
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof List<?> parts)) {
            throw wrong("secrets_allowed", value, "a list of names, as [db-*]");
        }
        var names = new ArrayList<String>(parts.size());
        for (Object part : parts) {
            names.add(scalar("secrets_allowed", part));
        }
        return Optional.of(List.copyOf(names));
    }

    private Limits limits() throws HandlerUnreadableException {
        Object value = fields.get("limits");
        if (value == null) {
            return Limits.DEFAULT;
        }
        Map<String, Object> asked = strings(file, "limits", value);
        known("limits.", asked.keySet(), LIMITS);
        Limits most = Limits.DEFAULT;
        try {
            return new Limits(
                    size(asked, "memory", most.memoryBytes()),
                    (int) size(asked, "pids", most.pids()),
                    cpus(asked, most.cpus()),
                    size(asked, "tmp", most.tmpBytes()),
                    (int) size(asked, "open_files", most.openFiles()),
                    size(asked, "file_size", most.fileBytes()));
        } catch (IllegalArgumentException e) {
            throw new HandlerUnreadableException(file + ": " + e.getMessage(), e);
        }
    }

    private long size(Map<String, Object> asked, String name, long most) throws HandlerUnreadableException {
        Object value = asked.get(name);
        if (value == null) {
            return most;
        }
        Matcher size = SIZE.matcher(value.toString());
        if (!size.matches()) {
            throw wrong("limits." + name, value, "a whole number, with B, KB, MB or GB for sizes");
        }
        int shift = switch (Objects.requireNonNullElse(size.group(2), "B")) {
            case "KB" -> 10;
            case "MB" -> 20;
            case "GB" -> 30;
            default -> 0;
        };
        BigInteger number = new BigInteger(size.group(1)).shiftLeft(shift);
        if (number.compareTo(BigInteger.valueOf(most)) > 0) {
            throw wrong("limits." + name, value, "at most " + most + ", which is what this worker gives");
        }
        return number.longValueExact();
    }

    private double cpus(Map<String, Object> asked, double most) throws HandlerUnreadableException {
        Object value = asked.get("cpus");
        if (value == null) {
            return most;
        }
        try {
            double cpus = new BigDecimal(value.toString()).doubleValue();
            if (cpus <= most) {
                return cpus;
            }
        } catch (NumberFormatException e) {
            throw new HandlerUnreadableException(file + ": limits.cpus is " + value + "; use a number, as 0.5", e);
        }
        throw wrong("limits.cpus", value, "at most " + most + ", which is what this worker gives");
    }

    private String text(String field) throws HandlerUnreadableException {
        return scalar(field, fields.get(field));
    }

    private String scalar(String field, @Nullable Object value) throws HandlerUnreadableException {
        if (value == null) {
            throw new HandlerUnreadableException(file + ": " + field + " is missing");
        }
        if (value instanceof Double) {
            // YAML reads 1.10 as the number 1.1.
            throw wrong(field, value, "quotes around a text that looks like a fraction");
        }
        if (value instanceof String || value instanceof Number) {
            String text = value.toString();
            if (!text.isEmpty() && text.indexOf('\0') < 0) {
                return text;
            }
        }
        throw wrong(field, value, "a text that is not empty");
    }

    private void known(String prefix, Set<String> found, Set<String> known) throws HandlerUnreadableException {
        for (String name : found) {
            if (!known.contains(name)) {
                throw new HandlerUnreadableException(file + ": " + prefix + name + " is unknown; use "
                        + known.stream().sorted().toList());
            }
        }
    }

    private HandlerUnreadableException wrong(String field, Object value, String possible) {
        return new HandlerUnreadableException(file + ": " + field + " is " + value + "; use " + possible);
    }

    private static Map<String, Object> strings(Path file, String what, @Nullable Object value)
            throws HandlerUnreadableException {
        if (!(value instanceof Map<?, ?> map)) {
            throw new HandlerUnreadableException(file + ": " + what + " is not a list of 'name: value' lines");
        }
        var strings = LinkedHashMap.<String, Object>newLinkedHashMap(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!(entry.getKey() instanceof String key)) {
                throw new HandlerUnreadableException(
                        file + ": " + what + " has the name " + entry.getKey() + ", which is not a text; quote it");
            }
            if (entry.getValue() != null) {
                strings.put(key, entry.getValue());
            }
        }
        return strings;
    }
}
