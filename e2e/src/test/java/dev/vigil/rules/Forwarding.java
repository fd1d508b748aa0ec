package dev.vigil.rules;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.ExpressionStatementTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.StatementTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;

/// Finds methods that only hand their parameters on to another method of this project. A method that hides a type of
/// the JDK or of a library (or an interface that a library fills) is a boundary, a public one before a package-private
/// type is a door, one with a name and a doc comment of its own says something new, one with an annotation is called by
/// somebody else, and a private one handed on as `this::name` may stand in for a field that is not set yet: none of
/// these counts.
final class Forwarding {
    /// Every top-level type of the project, and whether it is public.
    private final Map<String, Boolean> types;

    Forwarding(List<Source> project) {
        types = project.stream()
                .filter(source -> !isFilledByALibrary(source))
                .collect(Collectors.toMap(
                        source -> source.packageName() + "." + source.name(), Forwarding::isPublic, (a, b) -> a || b));
    }

    private static boolean isPublic(Source source) {
        return source.unit().getTypeDecls().stream()
                .anyMatch(type -> type instanceof ClassTree declared && isPublic(declared.getModifiers()));
    }

    /// A Spring Data repository, for one.
    private static boolean isFilledByALibrary(Source source) {
        return source.unit().getTypeDecls().stream()
                .anyMatch(type -> type instanceof ClassTree declared
                        && declared.getKind() == Tree.Kind.INTERFACE
                        && declared.getImplementsClause().stream()
                                .anyMatch(parent -> parent.toString().contains("Repository")));
    }

    private static boolean isPublic(ModifiersTree modifiers) {
        return modifiers.getFlags().contains(Modifier.PUBLIC);
    }

    Stream<String> violations(Source source) {
        return TidyRules.methods(source)
                .filter(method -> method.tree().getModifiers().getAnnotations().isEmpty())
                .filter(method -> forwards(source, method))
                .map(method -> "%s: %s only forwards: delete it and let its callers call the other"
                        .formatted(source.at(method.tree()), method.name()));
    }

    private boolean forwards(Source source, TidyRules.Method method) {
        MethodTree tree = method.tree();
        return !tree.getParameters().isEmpty()
                && !source.text().contains("this::" + method.name())
                && onlyCall(tree)
                        .filter(call -> names(tree.getParameters()).equals(arguments(call)))
                        .filter(call -> !source.isDocumented(tree)
                                || call.getMethodSelect().toString().endsWith("." + method.name()))
                        .filter(call -> needlessly(source, method, call.getMethodSelect()))
                        .isPresent();
    }

    private static Optional<MethodInvocationTree> onlyCall(MethodTree method) {
        if (method.getBody() == null || method.getBody().getStatements().size() != 1) {
            return Optional.empty();
        }
        StatementTree statement = method.getBody().getStatements().getFirst();
        ExpressionTree expression = switch (statement) {
            case ReturnTree returned -> returned.getExpression();
            case ExpressionStatementTree executed -> executed.getExpression();
            default -> null;
        };
        return expression instanceof MethodInvocationTree call ? Optional.of(call) : Optional.empty();
    }

    private static List<String> names(List<? extends VariableTree> parameters) {
        return parameters.stream()
                .map(parameter -> parameter.getName().toString())
                .toList();
    }

    private static List<String> arguments(MethodInvocationTree call) {
        return call.getArguments().stream()
                .map(argument ->
                        argument instanceof IdentifierTree name ? name.getName().toString() : "")
                .toList();
    }

    /// The target is a method of the same type, or of a type of ours that the callers of this one see as well.
    private boolean needlessly(Source source, TidyRules.Method method, ExpressionTree called) {
        return switch (called) {
            case IdentifierTree own ->
                !Set.of("this", "super").contains(own.getName().toString());
            case MemberSelectTree member -> {
                String target = member.getExpression().toString();
                String name = target.startsWith("this.") ? target.substring("this.".length()) : target;
                Optional<Boolean> ours =
                        seenPublicly(source, fieldType(method.owner(), name).orElse(name));
                yield ours.isPresent() && (ours.get() || !isPublic(method.tree().getModifiers()));
            }
            default -> false;
        };
    }

    private static Optional<String> fieldType(ClassTree owner, String name) {
        return owner.getMembers().stream()
                .filter(VariableTree.class::isInstance)
                .map(VariableTree.class::cast)
                .filter(field -> field.getName().contentEquals(name))
                .map(field -> String.valueOf(field.getType()))
                .findFirst();
    }

    /// Whether the type is public; empty when it is none of ours.
    private Optional<Boolean> seenPublicly(Source source, String type) {
        return Stream.concat(
                        Stream.of(source.packageName() + "." + type),
                        source.unit().getImports().stream()
                                .map(imported ->
                                        imported.getQualifiedIdentifier().toString())
                                .filter(imported -> imported.endsWith("." + type)))
                .flatMap(name -> Stream.ofNullable(types.get(name)))
                .findFirst();
    }
}
