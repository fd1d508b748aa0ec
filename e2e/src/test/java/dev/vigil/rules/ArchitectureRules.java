package dev.vigil.rules;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Who may know whom, and what nobody may use. Each rule takes compiled classes and answers with its violations: who,
/// what, and the fix.
final class ArchitectureRules {
    private static final String ROOT = "dev.vigil.";

    /// What the code of each module may use besides itself, by the first part of its packages (docs/ARCHITECTURE.md).
    private static final Map<String, Set<String>> MODULES = Map.ofEntries(
            Map.entry("protocol", Set.of()),
            Map.entry("postgres", Set.of()),
            Map.entry("scheduler", Set.of("protocol")),
            Map.entry("api", Set.of("protocol", "scheduler")),
            Map.entry("agent", Set.of("protocol")),
            Map.entry("edge", Set.of("protocol")),
            Map.entry("audit", Set.of("protocol", "edge")),
            Map.entry("gdpr", Set.of("protocol", "edge")),
            Map.entry("cli", Set.of("protocol")),
            Map.entry("bench", Set.of("protocol", "postgres", "scheduler")),
            Map.entry(
                    "platform",
                    Set.of("protocol", "postgres", "scheduler", "api", "agent", "audit", "gdpr", "cli", "bench")));

    /// The engine's layers: each knows those listed, and nobody below knows the wiring in `dev.vigil.scheduler`.
    private static final Map<String, Set<String>> ENGINE = Map.of(
            "scheduler.task", Set.of(),
            "scheduler.execution", Set.of("scheduler.task"),
            "scheduler.worker", Set.of("scheduler.task", "scheduler.execution"));

    private static final Pattern JDK =
            Pattern.compile("java\\..*|javax\\.(crypto|net|security)\\..*|com\\.sun\\.net\\.httpserver\\..*");
    private static final Pattern EMPTY_NAME =
            Pattern.compile(".*(Impl|Manager|Utils?|Helper|Facade|D[Tt][Oo]|V[Oo])|(Abstract|Base)[A-Z].*");
    private static final Pattern EMPTY_PACKAGE =
            Pattern.compile(".*\\.(service|model|dto|entity|utils?|common|helpers?|impl|misc)(\\..*)?");
    private static final Pattern DATABASE =
            Pattern.compile("(org\\.springframework\\.jdbc|java\\.sql|javax\\.sql)\\..*");
    private static final Pattern NETWORK = Pattern.compile(
            "(org\\.zeromq|com\\.sun\\.net\\.httpserver|java\\.net\\.http|jakarta\\.servlet|org\\.springframework\\.web)\\..*");
    private static final Pattern JPA =
            Pattern.compile("(jakarta\\.persistence|org\\.springframework\\.data\\.jpa|org\\.hibernate)\\..*");

    private static final List<String> WIRING = List.of(
            "org.springframework.context.annotation.Configuration",
            "org.springframework.boot.SpringBootConfiguration",
            "org.springframework.boot.autoconfigure.SpringBootApplication");

    /// Who may read a clock itself, and why; all others get an `InstantSource`.
    private static final Map<String, String> MAY_READ_THE_CLOCK =
            Map.of("dev.vigil.protocol.id.UuidV7", "an id is made everywhere, and its time only orders ids");

    private ArchitectureRules() {}

    static Stream<String> modules(JavaClasses classes) {
        return ours(classes)
                .filter(dependency -> {
                    String from = module(dependency.getOriginClass());
                    String to = module(dependency.getTargetClass());
                    return !from.equals(to)
                            && !MODULES.getOrDefault(from, Set.of()).contains(to);
                })
                .map(dependency ->
                        "%s uses %s, but %s may know %s only: move what both need to protocol, or turn the call round"
                                .formatted(
                                        name(dependency.getOriginClass()),
                                        name(dependency.getTargetClass()),
                                        module(dependency.getOriginClass()),
                                        String.join(
                                                ", ",
                                                new TreeSet<>(MODULES.getOrDefault(
                                                        module(dependency.getOriginClass()), Set.of())))))
                .distinct();
    }

    static Stream<String> engine(JavaClasses classes) {
        return ours(classes)
                .filter(dependency -> {
                    String from = layer(dependency.getOriginClass());
                    String to = layer(dependency.getTargetClass());
                    return ENGINE.containsKey(from)
                            && to.startsWith("scheduler")
                            && !from.equals(to)
                            && !ENGINE.getOrDefault(from, Set.of()).contains(to);
                })
                .map(dependency ->
                        "%s uses %s: task knows neither execution nor worker, execution not worker, none the wiring; "
                                        .formatted(name(dependency.getOriginClass()), name(dependency.getTargetClass()))
                                + "declare what is needed as an interface below and let the upper one fill it")
                .distinct();
    }

    static Stream<String> cycles(JavaClasses classes) {
        return SlicesRuleDefinition.slices()
                .matching("dev.vigil.(**)")
                .should()
                .beFreeOfCycles()
                .evaluate(classes)
                .getFailureReport()
                .getDetails()
                .stream()
                .map(cycle -> cycle + "\nBreak it: move the smaller side's type to the package that needs it");
    }

    static Stream<String> protocolUsesTheJdkOnly(JavaClasses classes) {
        return dependencies(classes)
                .filter(dependency -> module(dependency.getOriginClass()).equals("protocol"))
                .filter(dependency -> {
                    String target =
                            dependency.getTargetClass().getBaseComponentType().getName();
                    return !dependency.getTargetClass().getBaseComponentType().isPrimitive()
                            && !target.startsWith(ROOT + "protocol.")
                            && !target.startsWith("org.jspecify.")
                            && !JDK.matcher(target).matches();
                })
                .map(dependency ->
                        "%s uses %s, but protocol is JDK only, so that an auditor needs nothing else: do it with the JDK or in the caller"
                                .formatted(
                                        name(dependency.getOriginClass()),
                                        dependency.getTargetClass().getName()))
                .distinct();
    }

    static Stream<String> names(JavaClasses classes) {
        return Stream.concat(
                topLevel(classes)
                        .filter(type -> EMPTY_NAME.matcher(type.getSimpleName()).matches())
                        .map(type -> type.getName()
                                + ": the name says nothing; call it by what it does or holds (docs/GLOSSARY.md)"),
                topLevel(classes)
                        .map(JavaClass::getPackageName)
                        .distinct()
                        .filter(name -> EMPTY_PACKAGE.matcher(name).matches())
                        .map(name -> name + ": a package is named by its feature, not by its layer"));
    }

    static Stream<String> clocks(JavaClasses classes) {
        return accesses(classes, ArchitectureRules::readsTheClock)
                .filter(access -> !MAY_READ_THE_CLOCK.containsKey(
                        outermost(access.getOriginOwner()).getName()))
                .filter(access -> !isWiring(access.getOriginOwner()))
                .map(access -> "%s calls %s: take an InstantSource in the constructor, so that a test owns the time"
                        .formatted(where(access), access.getTarget().getFullName()));
    }

    static Stream<String> chance(JavaClasses classes) {
        return accesses(
                        classes,
                        target -> target.getFullName().startsWith("java.lang.Math.random()")
                                || target.getFullName().startsWith("java.util.Random.<init>")
                                || target.getFullName().startsWith("java.util.concurrent.ThreadLocalRandom.current"))
                .map(access ->
                        "%s calls %s: take a RandomGenerator in the constructor, or SecureRandom where a stranger must not guess"
                                .formatted(where(access), access.getTarget().getFullName()));
    }

    static Stream<String> databaseBesideNetwork(JavaClasses classes) {
        return classes.stream()
                .filter(type -> !isWiring(type) && uses(type, DATABASE) && uses(type, NETWORK))
                .map(
                        type -> type.getName()
                                + " speaks to the database and to the network: SQL lives in a store, no call leaves inside a transaction");
    }

    static Stream<String> jpa(JavaClasses classes) {
        return classes.stream()
                .filter(type -> !layer(type).equals("api.access") && uses(type, JPA))
                .map(type -> type.getName() + " uses JPA, which is for api.access: write the SQL with JdbcClient");
    }

    /// Configuration, and the entry class beside it, are where clocks and connections are made.
    private static boolean isWiring(JavaClass type) {
        JavaClass outermost = outermost(type);
        return Stream.of(type, outermost).anyMatch(candidate -> WIRING.stream().anyMatch(candidate::isAnnotatedWith))
                || outermost.getMethods().stream()
                        .anyMatch(method -> method.getName().equals("main"))
                || module(type).equals("platform");
    }

    private static boolean readsTheClock(AccessTarget target) {
        String owner = target.getOwner().getName();
        String name = target.getName();
        return switch (owner) {
            case "java.lang.System" -> name.equals("currentTimeMillis");
            case "java.util.Date" -> target.getFullName().equals("java.util.Date.<init>()");
            case "java.time.Clock", "java.time.InstantSource" -> name.startsWith("system");
            default ->
                owner.startsWith("java.time.")
                        && name.equals("now")
                        && !target.getFullName().contains("java.time.Clock");
        };
    }

    private static Stream<JavaAccess<?>> accesses(JavaClasses classes, Predicate<AccessTarget> target) {
        return classes.stream()
                .flatMap(type -> Stream.concat(
                        type.getAccessesFromSelf().stream(),
                        Stream.concat(
                                type.getMethodReferencesFromSelf().stream(),
                                type.getConstructorReferencesFromSelf().stream())))
                .distinct()
                .filter(access -> target.test(access.getTarget()));
    }

    private static boolean uses(JavaClass type, Pattern names) {
        return type.getDirectDependenciesFromSelf().stream()
                .anyMatch(dependency ->
                        names.matcher(dependency.getTargetClass().getName()).matches());
    }

    private static String where(JavaAccess<?> access) {
        return access.getOriginOwner().getName() + " (line " + access.getLineNumber() + ")";
    }

    private static Stream<Dependency> ours(JavaClasses classes) {
        return dependencies(classes)
                .filter(dependency -> dependency.getOriginClass().getName().startsWith(ROOT)
                        && dependency
                                .getTargetClass()
                                .getBaseComponentType()
                                .getName()
                                .startsWith(ROOT));
    }

    private static Stream<Dependency> dependencies(JavaClasses classes) {
        return classes.stream().flatMap(type -> type.getDirectDependenciesFromSelf().stream());
    }

    private static Stream<JavaClass> topLevel(JavaClasses classes) {
        return classes.stream()
                .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"));
    }

    static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(ArchitectureRules::outermost).orElse(type);
    }

    /// `dev.vigil.scheduler.task.Tasks` is in module `scheduler`.
    private static String module(JavaClass type) {
        return List.of(layer(type).split("\\.")).getFirst();
    }

    /// `dev.vigil.scheduler.task.Tasks` is in layer `scheduler.task`.
    private static String layer(JavaClass type) {
        String name = type.getBaseComponentType().getPackageName();
        return name.startsWith(ROOT) ? name.substring(ROOT.length()) : name;
    }

    private static String name(JavaClass type) {
        String name = outermost(type.getBaseComponentType()).getName();
        return name.startsWith(ROOT) ? name.substring(ROOT.length()) : name;
    }
}
