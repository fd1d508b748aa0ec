package dev.vigil.rules;

import com.sun.source.util.JavacTask;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/// The Java sources of all modules, parsed once: the rules about text and shape read these.
final class Sources {
    /// The folder of the parent pom; the tests run in a module's folder below it.
    static final Path PROJECT = project();

    private static final JavaCompiler COMPILER = Objects.requireNonNull(
            ToolProvider.getSystemJavaCompiler(), "the tests run on a JRE; they need the compiler of a JDK");

    private Sources() {}

    /// Every source of the project, generated ones left out.
    static List<Source> ofProject() {
        return OfProject.SOURCES;
    }

    /// Every source below this folder, which looks like the project: `module/src/main/java` and `module/src/test/java`.
    static List<Source> below(Path folder) {
        List<Path> files = javaFiles(folder);
        try (var manager = COMPILER.getStandardFileManager(null, null, null)) {
            var task = (JavacTask) COMPILER.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
            var positions = Trees.instance(task).getSourcePositions();
            var sources = new ArrayList<Source>(files.size());
            for (var unit : task.parse()) {
                JavaFileObject file = unit.getSourceFile();
                sources.add(new Source(
                        folder.relativize(Path.of(file.toUri())),
                        file.getCharContent(true).toString(),
                        unit,
                        positions));
            }
            return List.copyOf(sources);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> javaFiles(Path folder) {
        try (Stream<Path> modules = Files.list(folder)) {
            return modules.flatMap(module ->
                            Stream.of("src/main/java", "src/test/java").map(module::resolve))
                    .filter(Files::isDirectory)
                    .flatMap(Sources::walk)
                    .filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Path> walk(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path project() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve(".mvn"))) {
            folder = Objects.requireNonNull(folder.getParent(), "no folder above the working directory holds .mvn");
        }
        return folder;
    }

    private static final class OfProject {
        static final List<Source> SOURCES = below(PROJECT);
    }
}
