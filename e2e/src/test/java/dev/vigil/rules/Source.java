package dev.vigil.rules;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.SourcePositions;
import java.nio.file.Path;
import java.util.List;

/// One Java file, parsed but not resolved.
///
/// @param path      relative to the project, `module/src/main/java/…`
/// @param text      as it is on disk
/// @param unit      its tree
/// @param positions where each node of the tree stands in the text
record Source(Path path, String text, CompilationUnitTree unit, SourcePositions positions) {
    String module() {
        return path.getName(0).toString();
    }

    boolean isTest() {
        return path.getName(2).toString().equals("test");
    }

    String packageName() {
        var declaration = unit.getPackage();
        return declaration == null ? "" : declaration.getPackageName().toString();
    }

    /// The file's name without `.java`.
    String name() {
        String file = path.getFileName().toString();
        return file.substring(0, file.length() - ".java".length());
    }

    /// The text of one node.
    String text(Tree tree) {
        return text.substring(start(tree), end(tree));
    }

    /// How many lines the node covers, its first and last included.
    int lines(Tree tree) {
        return line(end(tree)) - line(start(tree)) + 1;
    }

    /// Whether a doc comment ends right above the node.
    boolean isDocumented(Tree tree) {
        int line = line(start(tree));
        return line > 1
                && text.lines().skip(line - 2L).findFirst().orElse("").strip().startsWith("///");
    }

    /// The lines of the doc comment right above the node, without their slashes.
    List<String> doc(Tree tree) {
        List<String> above =
                text.lines().limit(line(start(tree)) - 1L).map(String::strip).toList();
        int first = above.size();
        while (first > 0 && above.get(first - 1).startsWith("///")) {
            first--;
        }
        return above.subList(first, above.size()).stream()
                .map(line -> line.substring("///".length()).strip())
                .toList();
    }

    /// `path:line`, as compilers print it.
    String at(Tree tree) {
        return at(line(start(tree)));
    }

    String at(int line) {
        return path + ":" + line;
    }

    private int line(int position) {
        return Math.toIntExact(unit.getLineMap().getLineNumber(position));
    }

    private int start(Tree tree) {
        return Math.toIntExact(positions.getStartPosition(unit, tree));
    }

    private int end(Tree tree) {
        return Math.toIntExact(positions.getEndPosition(unit, tree));
    }
}
