package dev.vigil.rules;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.ExpressionStatementTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.StatementTree;
import com.sun.source.tree.VariableTree;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Finds methods that only hand their parameters on to another method of this project. A method that hides a type of
/// the JDK or of a library is a boundary, and one with an annotation is called by somebody else: neither counts.
final class Forwarding {
    private final Set<String> types = new HashSet<>();

    Forwarding(List<Source> project) {
        project.forEach(source -> types.add(source.packageName() + "." + source.name()));
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
                && onlyCall(tree)
                        .filter(call -> names(tree.getParameters()).equals(arguments(call)))
                        .filter(call -> targetIsOurs(source, method.owner(), call.getMethodSelect()))
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

    /// A method of the same type, of a field whose type is ours, or of a type of ours.
    private boolean targetIsOurs(Source source, ClassTree owner, ExpressionTree called) {
        return switch (called) {
            case IdentifierTree own ->
                !Set.of("this", "super").contains(own.getName().toString());
            case MemberSelectTree member -> {
                String target = member.getExpression().toString();
                String name = target.startsWith("this.") ? target.substring("this.".length()) : target;
                yield isOurs(source, fieldType(owner, name).orElse(name));
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

    private boolean isOurs(Source source, String type) {
        return types.contains(source.packageName() + "." + type)
                || source.unit().getImports().stream()
                        .map(imported -> imported.getQualifiedIdentifier().toString())
                        .anyMatch(imported -> imported.endsWith("." + type) && types.contains(imported));
    }
}
