package dev.vigil.rules;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A type is public because somebody in another package uses it, itself or one nested in it; or because it stands in
/// the public signatures of such a type. Class files do not tell of constants (they are copied) nor of types that a
/// caller never names, so imports count and signatures are followed.
final class EarnedPublic {
    private final JavaClasses classes;
    private final List<Source> sources;

    /// @param classes main and test classes of all modules
    /// @param sources the same as text
    EarnedPublic(JavaClasses classes, List<Source> sources) {
        this.classes = classes;
        this.sources = sources;
    }

    Stream<String> violations() {
        Set<String> earned = earned();
        Set<String> tests = sources.stream()
                .filter(Source::isTest)
                .map(source -> source.packageName() + "." + source.name())
                .collect(Collectors.toSet());
        return classes.stream()
                .filter(type -> type.isTopLevelClass() && type.getModifiers().contains(JavaModifier.PUBLIC))
                // Started by its name, from a command line or a launcher.
                .filter(type -> type.getMethods().stream()
                        .noneMatch(method -> method.getName().equals("main")))
                .map(JavaClass::getName)
                .filter(name -> !earned.contains(name) && !tests.contains(name))
                .sorted()
                .map(name -> name + " is public, but no other package uses it: make it package-private");
    }

    private Set<String> earned() {
        var earned = new HashSet<String>();
        var open = new ArrayDeque<JavaClass>();
        Stream.concat(named(), imported()).forEach(type -> earn(type, earned, open));
        while (!open.isEmpty()) {
            signature(open.pop()).forEach(type -> earn(type, earned, open));
        }
        return earned;
    }

    private static void earn(JavaClass type, Set<String> earned, ArrayDeque<JavaClass> open) {
        if (earned.add(type.getName())) {
            open.push(type);
        }
    }

    private Stream<JavaClass> named() {
        return classes.stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .map(dependency -> new Use(dependency.getOriginClass(), outermost(dependency.getTargetClass())))
                .filter(use -> !use.from().getPackageName().equals(use.to().getPackageName()))
                .map(Use::to);
    }

    private Stream<JavaClass> imported() {
        return sources.stream()
                .flatMap(source -> source.unit().getImports().stream()
                        .map(imported -> imported.getQualifiedIdentifier().toString())
                        .flatMap(this::typeOf)
                        .filter(type -> !type.getPackageName().equals(source.packageName())));
    }

    /// The outermost type of an imported type or member.
    private Stream<JavaClass> typeOf(String imported) {
        for (String name = imported; name.contains("."); name = name.substring(0, name.lastIndexOf('.'))) {
            if (classes.contain(name)) {
                return Stream.of(ArchitectureRules.outermost(classes.get(name)));
            }
        }
        return Stream.empty();
    }

    /// What a caller of this type meets: its supertypes, and all types in its public members, nested types included.
    private Stream<JavaClass> signature(JavaClass type) {
        return classes.stream()
                .filter(nested -> ArchitectureRules.outermost(nested).equals(type))
                .filter(nested -> nested.getModifiers().contains(JavaModifier.PUBLIC))
                .flatMap(nested -> Stream.concat(
                        Stream.concat(nested.getRawSuperclass().stream(), nested.getRawInterfaces().stream()),
                        nested.getMembers().stream()
                                .filter(member -> member.getModifiers().contains(JavaModifier.PUBLIC)
                                        || member.getModifiers().contains(JavaModifier.PROTECTED))
                                .flatMap(EarnedPublic::types)))
                .map(EarnedPublic::outermost)
                .filter(met -> classes.contain(met.getName()));
    }

    private static Stream<JavaClass> types(JavaMember member) {
        return member instanceof JavaCodeUnit code
                ? Stream.of(
                                Stream.of(code.getReturnType()),
                                code.getParameterTypes().stream(),
                                code.getExceptionTypes().stream().map(JavaType.class::cast))
                        .flatMap(types -> types)
                        .flatMap(type -> type.getAllInvolvedRawTypes().stream())
                : member.getAllInvolvedRawTypes().stream();
    }

    private static JavaClass outermost(JavaClass type) {
        return ArchitectureRules.outermost(type.getBaseComponentType());
    }

    private record Use(JavaClass from, JavaClass to) {}
}
