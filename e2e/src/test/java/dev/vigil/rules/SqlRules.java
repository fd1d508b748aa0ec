package dev.vigil.rules;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.TreeScanner;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What a statement may look like: a text of its own, every table with its schema, and the schema the module's own.
final class SqlRules {
    private static final Map<String, Set<String>> SCHEMAS = Map.of(
            "scheduler-core", Set.of("scheduler"),
            "scheduler-api", Set.of("access", "vault"),
            "audit-service", Set.of("audit"),
            "gdpr-service", Set.of("gdpr"));

    /// What a module may name of its neighbours: the audit service sequences the events of every schema and takes them
    /// away; a core reads which workers are registered and which groups a handler may run on, and writes neither.
    private static final Map<String, Pattern> NEIGHBOURS = Map.of(
            "audit-service", Pattern.compile("\\w+\\.(outbox|prune_outbox)"),
            "scheduler-core", Pattern.compile("vault\\.(worker|handler_group)"));

    private static final Pattern NOTHING = Pattern.compile("(?!)");

    private static final Pattern STATEMENT = Pattern.compile(
            "(?s)\\s*(WITH|SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|CALL|LOCK TABLE|TRUNCATE)\\s.*");
    private static final Pattern QUALIFIED = Pattern.compile("\\b(scheduler|access|vault|audit|gdpr)\\.(\\w+)");
    private static final Pattern TABLE = Pattern.compile(
            "\\b(?<!DISTINCT )(?:FROM|JOIN|INSERT INTO|MERGE INTO|(?<!FOR |KEY |DO )UPDATE)\\s+(?:ONLY\\s+)?([a-z_]\\w*)\\b(?!\\s*[.(\\w]*\\()(?!\\.)");
    private static final Pattern COMMON_TABLE =
            Pattern.compile("\\b(\\w+)(?:\\s*\\([^()]*\\))?\\s+AS\\s+(?:NOT\\s+)?(?:MATERIALIZED\\s+)?\\(");
    private static final Pattern QUOTED = Pattern.compile("'(?:[^']|'')*'|--[^\\n]*");
    private static final Pattern FROM_INSIDE_A_FUNCTION =
            Pattern.compile("(?i)\\b(extract|substring|trim|overlay)\\s*\\([^()]*\\)");
    private static final Set<String> NO_TABLES =
            Set.of("unnest", "generate_series", "jsonb_each", "lateral", "excluded");

    private SqlRules() {}

    static Stream<String> foreignSchemas(Source source) {
        Set<String> own = SCHEMAS.getOrDefault(source.module(), Set.of());
        Pattern neighbours = NEIGHBOURS.getOrDefault(source.module(), NOTHING);
        return statements(
                source,
                (literal, violations) -> QUALIFIED
                        .matcher(code(literal))
                        .results()
                        .filter(name -> !own.contains(name.group(1))
                                && !neighbours.matcher(name.group()).matches())
                        .forEach(name -> violations.accept(
                                literal,
                                "names %s, but %s owns %s: ask the owner's module, or give the answer a place in your schema"
                                        .formatted(name.group(), source.module(), own))));
    }

    static Stream<String> unqualifiedTables(Source source) {
        return statements(source, (literal, violations) -> {
            String code = FROM_INSIDE_A_FUNCTION.matcher(code(literal)).replaceAll("");
            var known = new HashSet<>(NO_TABLES);
            COMMON_TABLE.matcher(code).results().map(name -> name.group(1)).forEach(known::add);
            TABLE.matcher(code)
                    .results()
                    .map(name -> name.group(1))
                    .filter(name -> !known.contains(name) && !name.startsWith("pg_"))
                    .forEach(name -> violations.accept(
                            literal, "names table " + name + " without its schema: write schema." + name));
        });
    }

    static Stream<String> positionalParameters(Source source) {
        return statements(source, (literal, violations) -> {
            if (code(literal).contains("?")) {
                violations.accept(literal, "counts its parameters: name them, :like_this");
            }
        });
    }

    /// A statement may be put together from constants, never from what a caller handed in.
    static Stream<String> composedStatements(Source source) {
        if (source.isTest()) {
            return Stream.empty();
        }
        var constants = new ConstantText(source);
        return TidyRules.methods(source).flatMap(method -> composedStatements(source, method.tree(), constants));
    }

    private static Stream<String> composedStatements(Source source, MethodTree method, ConstantText constants) {
        var violations = new ArrayList<String>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitBinary(BinaryTree tree, Void unused) {
                if ((isStatement(tree.getLeftOperand()) && !constants.is(method, tree.getRightOperand()))
                        || (isStatement(tree.getRightOperand()) && !constants.is(method, tree.getLeftOperand()))) {
                    add(tree);
                }
                return super.visitBinary(tree, null);
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree tree, Void unused) {
                if (tree.getMethodSelect() instanceof MemberSelectTree select
                        && ConstantText.COMPOSERS.contains(
                                select.getIdentifier().toString())
                        && isStatement(select.getExpression())
                        && !tree.getArguments().stream().allMatch(part -> constants.is(method, part))) {
                    add(tree);
                }
                return super.visitMethodInvocation(tree, null);
            }

            private void add(Tree tree) {
                violations.add(source.at(tree)
                        + ": a statement is composed of constants at most: bind what changes as a named parameter");
            }
        }.scan(method, null);
        return violations.stream();
    }

    private static Stream<String> statements(Source source, BiConsumer<LiteralTree, BiConsumer<Tree, String>> rule) {
        if (source.isTest() || !SCHEMAS.containsKey(source.module())) {
            return Stream.empty();
        }
        var violations = new ArrayList<String>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitLiteral(LiteralTree tree, Void unused) {
                if (isStatement(tree)) {
                    rule.accept(tree, (at, what) -> violations.add(source.at(at) + ": the statement " + what));
                }
                return null;
            }
        }.scan(source.unit(), null);
        return violations.stream();
    }

    private static boolean isStatement(ExpressionTree tree) {
        return switch (tree) {
            case ParenthesizedTree inner -> isStatement(inner.getExpression());
            case LiteralTree literal ->
                literal.getValue() instanceof String text
                        && STATEMENT.matcher(text).matches();
            default -> false;
        };
    }

    /// The statement without its comments and quoted texts.
    private static String code(LiteralTree literal) {
        return QUOTED.matcher((String) literal.getValue()).replaceAll("''");
    }
}
