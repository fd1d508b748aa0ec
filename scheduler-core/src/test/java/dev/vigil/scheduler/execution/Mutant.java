package dev.vigil.scheduler.execution;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.List;
import java.util.function.Consumer;

/// The engine with one rule broken on purpose, in its compiled code: production's classes and the simulator's
/// are loaded once more, one method of them changed.
///
/// @param what   is broken, for a person to read
/// @param type   the class, by its simple name
/// @param method of it
/// @param change to the method's code
record Mutant(String what, String type, String method, CodeTransform change) {
    private static final String PACKAGE = Mutant.class.getPackageName() + ".";

    @Override
    public String toString() {
        return what;
    }

    /// A number in the code is another one.
    static CodeTransform number(long from, long to) {
        return (builder, element) -> {
            if (element instanceof ConstantInstruction constant
                    && constant.constantValue() instanceof Number number
                    && number.longValue() == from) {
                if (number instanceof Integer) {
                    builder.loadConstant((int) to);
                } else {
                    builder.loadConstant(to);
                }
            } else {
                builder.with(element);
            }
        };
    }

    /// A question to another object is always answered with no.
    static CodeTransform never(String question) {
        return (builder, element) -> {
            if (element instanceof InvokeInstruction call && call.name().equalsString(question)) {
                builder.pop2().iconst_0();
            } else {
                builder.with(element);
            }
        };
    }

    /// An answer of another object is one more.
    static CodeTransform oneMore(String question) {
        return (builder, element) -> {
            builder.with(element);
            if (element instanceof InvokeInstruction call && call.name().equalsString(question)) {
                builder.iconst_1().iadd();
            }
        };
    }

    /// The method does this instead of anything else.
    static CodeTransform instead(Consumer<CodeBuilder> code) {
        return new CodeTransform() {
            private boolean done;

            @Override
            public void accept(CodeBuilder builder, CodeElement element) {
                if (!done) {
                    done = true;
                    code.accept(builder);
                }
            }
        };
    }

    /// The first of these seeds that finds something.
    ///
    /// @return -1 when none does
    long firstThatFinds(int seeds) throws ReflectiveOperationException {
        Class<?> simulation = new ClassesAnew(PACKAGE, this::changed).loadClass(PACKAGE + "Simulation");
        for (long seed = 0; seed < seeds; seed++) {
            if (!play(simulation, seed).isEmpty()) {
                return seed;
            }
        }
        return -1;
    }

    private static List<?> play(Class<?> simulation, long seed) throws ReflectiveOperationException {
        Constructor<?> constructor = simulation.getDeclaredConstructor(long.class);
        constructor.setAccessible(true);
        Method run = simulation.getDeclaredMethod("run");
        run.setAccessible(true);
        return (List<?>) run.invoke(constructor.newInstance(seed));
    }

    private byte[] changed(String name, byte[] bytes) {
        if (!name.equals(PACKAGE + type)) {
            return bytes;
        }
        ClassFile files = ClassFile.of();
        return files.transformClass(
                files.parse(bytes),
                ClassTransform.transformingMethodBodies(one -> one.methodName().equalsString(method), change));
    }
}
