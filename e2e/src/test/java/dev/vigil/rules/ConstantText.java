package dev.vigil.rules;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.StatementTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreeScanner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;

/// Says of an expression whether it can only be a text that stands in its own file: a literal, a name in capitals, a
/// choice or a composition of such, a local variable that holds one, a private method that returns one, or a parameter
/// of a private method that is called with nothing else.
final class ConstantText {
    static final Set<String> COMPOSERS = Set.of("formatted", "replace", "concat");

    private static final Pattern CONSTANT = Pattern.compile("[A-Z][A-Z0-9_]*");

    private final List<MethodTree> methods;
    private final List<Call> calls = new ArrayList<>();

    ConstantText(Source source) {
        methods = TidyRules.methods(source).map(TidyRules.Method::tree).toList();
        for (MethodTree method : methods) {
            new TreeScanner<Void, Void>() {
                @Override
                public Void visitMethodInvocation(MethodInvocationTree tree, Void unused) {
                    calls.add(new Call(method, tree));
                    return super.visitMethodInvocation(tree, null);
                }
            }.scan(method, null);
        }
    }

    /// @param method where the expression stands
    boolean is(MethodTree method, ExpressionTree expression) {
        return switch (expression) {
            case LiteralTree _ -> true;
            case ParenthesizedTree inner -> is(method, inner.getExpression());
            case BinaryTree both -> is(method, both.getLeftOperand()) && is(method, both.getRightOperand());
            case ConditionalExpressionTree choice ->
                is(method, choice.getTrueExpression()) && is(method, choice.getFalseExpression());
            case IdentifierTree name ->
                CONSTANT.matcher(name.getName()).matches() || isVariable(method, name) || isParameter(method, name);
            case MemberSelectTree member ->
                CONSTANT.matcher(member.getIdentifier()).matches();
            case MethodInvocationTree call -> isComposition(method, call) || isOwnAnswer(call);
            default -> false;
        };
    }

    private boolean isVariable(MethodTree method, IdentifierTree name) {
        return method.getBody().getStatements().stream()
                .anyMatch(statement -> statement instanceof VariableTree variable
                        && variable.getName().equals(name.getName())
                        && variable.getInitializer() != null
                        && is(method, variable.getInitializer()));
    }

    private boolean isParameter(MethodTree method, IdentifierTree name) {
        List<? extends VariableTree> parameters = method.getParameters();
        for (int i = 0; i < parameters.size(); i++) {
            if (parameters.get(i).getName().equals(name.getName())) {
                int index = i;
                return isPrivate(method)
                        && calls.stream()
                                .filter(call -> call.of(method))
                                .allMatch(call -> is(
                                        call.from(), call.tree().getArguments().get(index)));
            }
        }
        return false;
    }

    private boolean isComposition(MethodTree method, MethodInvocationTree call) {
        return call.getMethodSelect() instanceof MemberSelectTree select
                && COMPOSERS.contains(select.getIdentifier().toString())
                && is(method, select.getExpression())
                && call.getArguments().stream().allMatch(part -> is(method, part));
    }

    private boolean isOwnAnswer(MethodInvocationTree tree) {
        return methods.stream()
                .filter(method -> isPrivate(method) && new Call(method, tree).of(method))
                .anyMatch(method ->
                        answer(method).filter(text -> is(method, text)).isPresent());
    }

    private static Optional<ExpressionTree> answer(MethodTree method) {
        List<? extends StatementTree> statements = method.getBody().getStatements();
        return statements.size() == 1 && statements.getFirst() instanceof ReturnTree answer
                ? Optional.ofNullable(answer.getExpression())
                : Optional.empty();
    }

    private static boolean isPrivate(MethodTree method) {
        return method.getModifiers().getFlags().contains(Modifier.PRIVATE);
    }

    /// @param from where the call stands
    private record Call(MethodTree from, MethodInvocationTree tree) {
        boolean of(MethodTree method) {
            return tree.getMethodSelect().toString().equals(method.getName().toString())
                    && tree.getArguments().size() == method.getParameters().size();
        }
    }
}
