package dev.vigil.rules;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.CatchTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.TreeScanner;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What a tidy source looks like. Each rule takes one source and answers with its violations: where, what, and the fix.
final class TidyRules {
    static final int FILE_LINES_MAX = 500;
    static final int METHOD_LINES_MAX = 70;
    static final int PARAMETERS_MAX = 4;

    private static final Pattern SENTENCE = Pattern.compile("[a-z][a-zA-Z0-9]*(_[a-zA-Z0-9]+){2,}");
    private static final Pattern UNFINISHED = Pattern.compile("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK)\\b");
    private static final Set<String> TESTS = Set.of("Test", "ParameterizedTest", "RepeatedTest", "TestFactory");
    private static final Set<String> MAY_PRINT = Set.of("cli", "e2e");

    private TidyRules() {}

    static Stream<String> longFiles(Source source) {
        long lines = source.text().lines().count();
        return lines <= FILE_LINES_MAX
                ? Stream.empty()
                : Stream.of("%s has %d lines, at most %d: move one of its concerns to a type of its own"
                        .formatted(source.path(), lines, FILE_LINES_MAX));
    }

    static Stream<String> longMethods(Source source) {
        return methods(source)
                .filter(method -> source.lines(method.tree()) > METHOD_LINES_MAX)
                .map(method -> "%s: %s has %d lines, at most %d: keep the branches here, move work to helpers"
                        .formatted(
                                source.at(method.tree()),
                                method.name(),
                                source.lines(method.tree()),
                                METHOD_LINES_MAX));
    }

    /// Constructors of records are free, their components are the data; so are methods whose signature is another's
    /// (`@Override`) and bean methods, which Spring calls.
    static Stream<String> longParameterLists(Source source) {
        return methods(source)
                .filter(method -> method.tree().getParameters().size() > PARAMETERS_MAX)
                .filter(method -> !method.isRecordConstructor() && !method.isAnnotated(Set.of("Override", "Bean")))
                .map(method -> "%s: %s takes %d parameters, at most %d: name what belongs together as a record"
                        .formatted(
                                source.at(method.tree()),
                                method.name(),
                                method.tree().getParameters().size(),
                                PARAMETERS_MAX));
    }

    static Stream<String> unfinishedWork(Source source) {
        List<String> lines = source.text().lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> UNFINISHED.matcher(lines.get(i)).find())
                .mapToObj(i -> source.at(i + 1) + ": a reminder is no place for work: do it now, or write an issue");
    }

    static Stream<String> oldDocComments(Source source) {
        List<String> lines = source.text().lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> lines.get(i).strip().startsWith("/**"))
                .mapToObj(i -> source.at(i + 1) + ": write doc comments as Markdown, each line begins with ///");
    }

    static Stream<String> starImports(Source source) {
        return source.unit().getImports().stream()
                .filter(imported -> imported.getQualifiedIdentifier().toString().endsWith("*"))
                .map(imported -> source.at(imported) + ": import each type by its name");
    }

    static Stream<String> emptyCatches(Source source) {
        return found(source, CatchTree.class, (tree, violations) -> {
            BlockTree block = tree.getBlock();
            if (block.getStatements().isEmpty() && !source.text(block).contains("//")) {
                violations.accept(
                        tree, "an exception vanishes here: handle it, or say in a comment why it may be lost");
            }
        });
    }

    static Stream<String> prints(Source source) {
        if (source.isTest() || MAY_PRINT.contains(source.module())) {
            return Stream.empty();
        }
        return found(source, MemberSelectTree.class, (tree, violations) -> {
            if (Set.of("System.out", "System.err").contains(tree.toString())
                    || tree.getIdentifier().contentEquals("printStackTrace")) {
                violations.accept(tree, "services log, only the command line prints: use an SLF4J logger");
            }
        });
    }

    static Stream<String> sleepingTests(Source source) {
        if (!source.isTest()) {
            return Stream.empty();
        }
        return found(source, MethodInvocationTree.class, (tree, violations) -> {
            String called = tree.getMethodSelect().toString();
            if (called.matches(
                    "(Thread|.*TimeUnit\\.\\w+|(MILLI|MICRO|NANO)?SECONDS)\\.sleep|(.*\\.)?park(Nanos|Until)")) {
                violations.accept(tree, "a test waits for a condition, not for a time: use Awaitility or a latch");
            }
        });
    }

    static Stream<String> disabledTests(Source source) {
        return methods(source)
                .filter(method -> method.isAnnotated(Set.of("Disabled")))
                .map(method ->
                        source.at(method.tree()) + ": a test that is switched off proves nothing: mend or delete it");
    }

    static Stream<String> testsThatAreNoSentences(Source source) {
        return methods(source)
                .filter(method -> source.isTest() && method.isAnnotated(TESTS))
                .filter(method -> !SENTENCE.matcher(method.name()).matches())
                .map(method -> "%s: %s says too little: name a test as a sentence, the_fence_is_refused_when_stale"
                        .formatted(source.at(method.tree()), method.name()));
    }

    static Stream<String> fieldInjection(Source source) {
        return methods(source)
                .filter(method -> method.isAnnotated(Set.of("Autowired")))
                .map(method -> source.at(method.tree())
                        + ": delete @Autowired: a class has one constructor and Spring finds it");
    }

    static Stream<String> packagesWithoutNullMarked(List<Source> sources) {
        Set<String> marked = sources.stream()
                .filter(source ->
                        source.name().equals("package-info") && source.text().contains("@NullMarked"))
                .map(source -> source.module() + ":" + source.packageName())
                .collect(Collectors.toSet());
        return sources.stream()
                .map(source -> source.module() + ":" + source.packageName())
                .distinct()
                .filter(name -> !marked.contains(name))
                .map(name ->
                        "package " + name + " has no @NullMarked package-info.java: add one that says what it is for");
    }

    /// All methods and constructors of a source, nested types included.
    static Stream<Method> methods(Source source) {
        var methods = new ArrayList<Method>();
        new TreeScanner<Void, ClassTree>() {
            @Override
            public Void visitClass(ClassTree tree, ClassTree outer) {
                return super.visitClass(tree, tree);
            }

            @Override
            public Void visitMethod(MethodTree tree, ClassTree owner) {
                methods.add(new Method(owner, tree));
                return super.visitMethod(tree, owner);
            }
        }.scan(source.unit(), null);
        return methods.stream();
    }

    private static <T extends Tree> Stream<String> found(
            Source source, Class<T> kind, BiConsumer<T, BiConsumer<Tree, String>> rule) {
        var violations = new ArrayList<String>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void scan(Tree tree, Void unused) {
                if (kind.isInstance(tree) && !(tree instanceof ImportTree)) {
                    rule.accept(kind.cast(tree), (at, what) -> violations.add(source.at(at) + ": " + what));
                }
                return super.scan(tree, null);
            }
        }.scan(source.unit(), null);
        return violations.stream();
    }

    /// @param owner the type that declares it
    record Method(ClassTree owner, MethodTree tree) {
        /// The name that a reader looks for: a constructor has its type's.
        String name() {
            return tree.getName().contentEquals("<init>")
                    ? owner.getSimpleName().toString()
                    : tree.getName().toString();
        }

        boolean isRecordConstructor() {
            return owner.getKind() == Tree.Kind.RECORD && tree.getName().contentEquals("<init>");
        }

        boolean isAnnotated(Set<String> names) {
            return tree.getModifiers().getAnnotations().stream()
                    .anyMatch(annotation ->
                            names.contains(annotation.getAnnotationType().toString()));
        }
    }
}
