package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// `docs/reference/settings.md` is what the `@ConfigurationProperties` records and their comments say. To write it
/// anew, run this test with `-Dvigil.docs.write=true`.
class SettingsPageTest {
    private static final Path PAGE = Sources.PROJECT.resolve("docs/reference/settings.md");
    private static final String MARK = "<!-- below: written by SettingsPageTest -->\n";

    @Test
    void the_page_has_every_setting_of_every_service() throws IOException {
        String tables = records().entrySet().stream()
                .map(service -> table(service.getKey(), service.getValue()))
                .collect(Collectors.joining("\n"));
        String page = Files.readString(PAGE);
        String head = page.substring(0, page.indexOf(MARK) + MARK.length());

        if (Boolean.getBoolean("vigil.docs.write")) {
            Files.writeString(PAGE, head + "\n" + tables);
            return;
        }
        assertThat(page)
                .as("docs/reference/settings.md; write it anew with -Dvigil.docs.write=true")
                .isEqualTo(head + "\n" + tables);
    }

    @Test
    void every_setting_says_what_it_is_for() {
        List<String> silent = records().values().stream()
                .flatMap(List::stream)
                .flatMap(record -> record.settings().stream())
                .filter(setting -> setting.meaning().isEmpty())
                .map(Setting::name)
                .toList();

        assertThat(silent).as("settings without @param in their record").isEmpty();
    }

    private static Map<String, List<Properties>> records() {
        var found = new LinkedHashMap<String, List<Properties>>();
        for (Source source : Sources.ofProject()) {
            if (source.isTest() || !source.name().endsWith("Settings")) {
                continue;
            }
            for (Tree type : source.unit().getTypeDecls()) {
                if (type instanceof ClassTree tree && prefix(tree) != null) {
                    found.computeIfAbsent(source.module(), _ -> new ArrayList<>())
                            .add(new Properties(source, tree));
                }
            }
        }
        return found;
    }

    private static String table(String service, List<Properties> records) {
        String rows = records.stream()
                .flatMap(record -> record.settings().stream())
                .map(setting -> "| `%s` | %s | %s |\n".formatted(setting.name(), setting.meaning(), setting.absent()))
                .sorted()
                .collect(Collectors.joining());
        return "## " + service + "\n\n| setting | meaning | when absent |\n|---|---|---|\n" + rows;
    }

    private static @Nullable String prefix(ClassTree tree) {
        for (AnnotationTree annotation : tree.getModifiers().getAnnotations()) {
            if (annotation.getAnnotationType().toString().equals("ConfigurationProperties")) {
                return literals(annotation).getFirst();
            }
        }
        return null;
    }

    private static List<String> literals(AnnotationTree annotation) {
        var texts = new ArrayList<String>();
        annotation.accept(
                new TreeScanner<Void, Void>() {
                    @Override
                    public Void visitLiteral(LiteralTree literal, Void nothing) {
                        if (literal.getValue() instanceof String text) {
                            texts.add(text);
                        }
                        return null;
                    }
                },
                null);
        return texts;
    }

    /// @param name    as it is written in YAML
    /// @param meaning from the `@param` of its record
    /// @param absent  what holds when it is not set
    private record Setting(String name, String meaning, String absent) {}

    /// A record of settings in its file.
    private record Properties(Source source, ClassTree root) {
        List<Setting> settings() {
            var all = new ArrayList<Setting>();
            collect(root, Objects.requireNonNull(prefix(root)), all);
            return all;
        }

        private void collect(ClassTree record, String prefix, List<Setting> all) {
            Map<String, String> meanings = meanings(record);
            for (Tree member : record.getMembers()) {
                if (!(member instanceof VariableTree component) || isStatic(component)) {
                    continue;
                }
                String name = component.getName().toString();
                String path = prefix + "." + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
                ClassTree inner = inner(component.getType().toString());
                if (inner != null) {
                    collect(inner, path, all);
                } else if (!component.getType().toString().startsWith("Map<")) {
                    all.add(new Setting(path, meanings.getOrDefault(name, ""), absent(component)));
                }
            }
        }

        private static boolean isStatic(VariableTree variable) {
            return variable.getModifiers().getFlags().contains(javax.lang.model.element.Modifier.STATIC);
        }

        private @Nullable ClassTree inner(String type) {
            String simple = type.substring(type.lastIndexOf(' ') + 1);
            return root.getMembers().stream()
                    .filter(ClassTree.class::isInstance)
                    .map(ClassTree.class::cast)
                    .filter(candidate -> candidate.getKind() == Tree.Kind.RECORD
                            && candidate.getSimpleName().contentEquals(simple))
                    .findFirst()
                    .orElse(null);
        }

        private static String absent(VariableTree component) {
            boolean optional = component.getType().toString().contains("@Nullable");
            for (AnnotationTree annotation : component.getModifiers().getAnnotations()) {
                String type = annotation.getAnnotationType().toString();
                if (type.equals("DefaultValue")) {
                    List<String> values = literals(annotation);
                    return values.isEmpty() ? "none" : "`" + String.join(",", values) + "`";
                }
                optional |= type.equals("Nullable");
            }
            return optional ? "none" : "required with its group";
        }

        /// The `@param` lines above a record, by component.
        private Map<String, String> meanings(ClassTree record) {
            var meanings = new LinkedHashMap<String, String>();
            String name = "";
            for (String line : source.doc(record)) {
                if (line.startsWith("@param ")) {
                    String[] words = line.split(" +", 3);
                    name = words[1];
                    meanings.put(name, words.length > 2 ? words[2] : "");
                } else if (!name.isEmpty()) {
                    meanings.merge(name, line, (before, more) -> before + " " + more);
                }
            }
            meanings.replaceAll((_, text) -> text.replace("|", "\\|"));
            return meanings;
        }
    }
}
