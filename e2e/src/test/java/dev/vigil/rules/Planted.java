package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/// A small project written by a test, to see a rule fire. What the planted code needs of a library it brings along as a
/// planted type of the library's name.
final class Planted {
    private static final Pattern PACKAGE = Pattern.compile("package ([\\w.]+);");
    private static final Pattern TYPE = Pattern.compile("(?:class|interface|record|enum) (\\w+)");

    private final Path folder;

    Planted(Path folder) {
        this.folder = folder;
    }

    /// Adds a file to the main code of a module; package and name are read from the text.
    Planted main(String module, String text) {
        return add(module + "/src/main/java", text);
    }

    /// Adds a file to the tests of a module.
    Planted test(String module, String text) {
        return add(module + "/src/test/java", text);
    }

    List<Source> sources() {
        return Sources.below(folder);
    }

    /// Compiles all that was planted.
    JavaClasses classes() {
        Path classes = folder.resolve("classes");
        var arguments = new ArrayList<>(List.of("-proc:none", "-d", classes.toString()));
        sources().forEach(source -> arguments.add(folder.resolve(source.path()).toString()));
        int status = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler())
                .run(null, null, null, arguments.toArray(String[]::new));
        assertThat(status).as("the planted sources compile").isZero();
        return new ClassFileImporter().importPath(classes);
    }

    private Planted add(String root, String text) {
        var packageName = PACKAGE.matcher(text);
        var type = TYPE.matcher(text);
        assertThat(packageName.find() && type.find())
                .as("a package and a type in: " + text)
                .isTrue();
        Path file = folder.resolve(root)
                .resolve(packageName.group(1).replace('.', '/'))
                .resolve(type.group(1) + ".java");
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return this;
    }
}
