package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The arrows of docs/ARCHITECTURE.md hold in the classes of all modules. [ArchitectureRulesTest] shows each rule
/// firing.
class ArchitectureTest {
    private static final List<Source> SOURCES = Sources.ofProject();
    private static final JavaClasses ALL = imported();
    private static final JavaClasses MAIN = ALL.that(new DescribedPredicate<>("main code") {
        @Override
        public boolean test(JavaClass type) {
            return type.getSource().orElseThrow().getUri().getPath().contains("/target/classes/");
        }
    });

    @Test
    void modules_know_only_those_below_them() {
        assertThat(ArchitectureRules.modules(MAIN)).isEmpty();
    }

    @Test
    void the_engine_knows_no_layer_above() {
        assertThat(ArchitectureRules.engine(MAIN)).isEmpty();
    }

    @Test
    void packages_are_free_of_cycles() {
        assertThat(ArchitectureRules.cycles(MAIN)).isEmpty();
    }

    @Test
    void protocol_uses_the_jdk_only() {
        assertThat(ArchitectureRules.protocolUsesTheJdkOnly(MAIN)).isEmpty();
    }

    @Test
    void names_say_what_a_thing_does() {
        assertThat(ArchitectureRules.names(MAIN)).isEmpty();
    }

    @Test
    void public_is_earned() {
        assertThat(new EarnedPublic(ALL, SOURCES).violations()).isEmpty();
    }

    @Test
    void time_and_chance_are_handed_in() {
        assertThat(ArchitectureRules.clocks(MAIN)).isEmpty();
        assertThat(ArchitectureRules.chance(MAIN)).isEmpty();
    }

    @Test
    void the_database_is_not_spoken_to_beside_the_network() {
        assertThat(ArchitectureRules.databaseBesideNetwork(MAIN)).isEmpty();
    }

    @Test
    void jpa_stays_in_its_place() {
        assertThat(ArchitectureRules.jpa(MAIN)).isEmpty();
    }

    @Test
    void the_rules_see_the_classes_of_every_source() {
        Stream<String> unseen = SOURCES.stream()
                .filter(source -> !source.isTest() && !source.name().equals("package-info"))
                .map(source -> source.packageName() + "." + source.name())
                .filter(name -> !MAIN.contain(name));

        assertThat(unseen)
                .as("sources without a class file: build all modules first")
                .isEmpty();
    }

    private static JavaClasses imported() {
        try (Stream<Path> modules = Files.list(Sources.PROJECT)) {
            return new ClassFileImporter()
                    .importPaths(modules.flatMap(module -> Stream.of("target/classes", "target/test-classes")
                                    .map(module::resolve))
                            .filter(Files::isDirectory)
                            .toList());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
