package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The sources of all modules are tidy; and each rule fires on a source that breaks it.
class TidyTest {
    private static final List<Source> PROJECT = Sources.ofProject();

    @Test
    void no_file_is_longer_than_a_reader_can_hold() {
        assertThat(inProject(TidyRules::longFiles)).isEmpty();
    }

    @Test
    void a_method_fits_on_a_screen() {
        assertThat(inProject(TidyRules::longMethods)).isEmpty();
    }

    @Test
    void parameters_that_belong_together_are_a_record() {
        assertThat(inProject(TidyRules::longParameterLists)).isEmpty();
    }

    @Test
    void no_method_only_forwards_to_another() {
        assertThat(inProject(new Forwarding(PROJECT)::violations)).isEmpty();
    }

    @Test
    void nothing_is_left_as_a_reminder() {
        assertThat(inProject(TidyRules::unfinishedWork)).isEmpty();
    }

    @Test
    void doc_comments_are_written_in_markdown() {
        assertThat(inProject(TidyRules::oldDocComments)).isEmpty();
    }

    @Test
    void each_import_names_its_type() {
        assertThat(inProject(TidyRules::starImports)).isEmpty();
    }

    @Test
    void no_exception_vanishes_without_a_word() {
        assertThat(inProject(TidyRules::emptyCatches)).isEmpty();
    }

    @Test
    void only_the_command_line_prints() {
        assertThat(inProject(TidyRules::prints)).isEmpty();
    }

    @Test
    void no_test_sleeps_or_is_switched_off() {
        assertThat(inProject(TidyRules::sleepingTests)).isEmpty();
        assertThat(inProject(TidyRules::disabledTests)).isEmpty();
    }

    @Test
    void a_test_is_named_as_a_sentence() {
        assertThat(inProject(TidyRules::testsThatAreNoSentences)).isEmpty();
    }

    @Test
    void constructors_need_no_annotation() {
        assertThat(inProject(TidyRules::fieldInjection)).isEmpty();
    }

    @Test
    void every_package_says_what_may_be_null() {
        assertThat(TidyRules.packagesWithoutNullMarked(PROJECT)).isEmpty();
    }

    @Test
    void the_rules_see_every_module() {
        assertThat(PROJECT)
                .extracting(Source::module)
                .contains("protocol", "scheduler-core", "scheduler-api", "worker-agent", "audit-service", "e2e");
    }

    private static Stream<String> inProject(Function<Source, Stream<String>> rule) {
        return PROJECT.stream().flatMap(rule);
    }

    /// Each rule against a planted violation, and its nearest allowed neighbour.
    @Nested
    class A_planted_violation {
        @TempDir
        private Path folder;

        private Planted planted;

        @BeforeEach
        void an_empty_project() {
            planted = new Planted(folder);
        }

        @Test
        void a_file_of_501_lines_is_named_one_of_500_is_not() {
            main("package a;\nclass Long {\n" + "\n".repeat(498) + "}\n");
            main("package a;\nclass Short {\n" + "\n".repeat(497) + "}\n");

            assertThat(violations(TidyRules::longFiles))
                    .containsExactly("core/src/main/java/a/Long.java has 501 lines, at most 500: "
                            + "move one of its concerns to a type of its own");
        }

        @Test
        void a_method_of_71_lines_is_named_one_of_70_is_not() {
            main("package a;\nclass A {\n    void far() {" + "\n".repeat(70) + "    }\n    void near() {"
                    + "\n".repeat(69) + "    }\n}\n");

            assertThat(violations(TidyRules::longMethods))
                    .containsExactly("core/src/main/java/a/A.java:3: far has 71 lines, at most 70: "
                            + "keep the branches here, move work to helpers");
        }

        @Test
        void five_parameters_are_named_in_a_record_they_are_not() {
            main(
                    "package a;\nclass A {\n    A(int a, int b, int c, int d, int e) {}\n    void f(int a, int b, int c, int d) {}\n}\n");
            main("package a;\nrecord R(int a, int b, int c, int d, int e) {\n    R { }\n}\n");
            main("package a;\nclass B {\n    @Override\n    void f(int a, int b, int c, int d, int e) {}\n}\n");

            assertThat(violations(TidyRules::longParameterLists))
                    .containsExactly("core/src/main/java/a/A.java:3: A takes 5 parameters, at most 4: "
                            + "name what belongs together as a record");
        }

        @Test
        void a_method_that_hands_all_on_to_a_type_of_ours_is_named() {
            main("package a;\npublic class Tasks {\n    int pause(int id) { return id + 1; }\n}\n");
            main("package b;\nclass Hidden {\n    int pause(int id) { return id + 1; }\n}\n");
            main("""
                    package b;
                    import a.Tasks;
                    import java.util.List;
                    class Door {
                        Tasks tasks;
                        List<Integer> waiting;
                        int pause(int id) { return tasks.pause(id); }
                        int other(int id) { return pause(id); }
                        int next(int id) { return tasks.pause(id + 1); }
                        boolean add(int id) { return waiting.add(id); }
                        @Override
                        int resume(int id) { return tasks.pause(id); }
                        Hidden hidden;
                        public int door(int id) { return hidden.pause(id); }
                        /// Stops it at the next light.
                        int halt(int id) { return tasks.pause(id); }
                    }
                    """);

            assertThat(violations(new Forwarding(planted.sources())::violations))
                    .containsExactly(
                            "core/src/main/java/b/Door.java:7: pause only forwards: "
                                    + "delete it and let its callers call the other",
                            "core/src/main/java/b/Door.java:8: other only forwards: "
                                    + "delete it and let its callers call the other");
        }

        @Test
        void a_reminder_is_named_with_its_line() {
            main("package a;\nclass A {\n    // TO" + "DO later\n}\n");
            main("package a;\nclass Method {}\n");

            assertThat(violations(TidyRules::unfinishedWork))
                    .containsExactly("core/src/main/java/a/A.java:3: a reminder is no place for work: "
                            + "do it now, or write an issue");
        }

        @Test
        void an_old_doc_comment_is_named_a_new_one_is_not() {
            main("package a;\n/** Old. */\nclass A {}\n");
            main("package a;\n/// New.\nclass B {}\n");

            assertThat(violations(TidyRules::oldDocComments))
                    .containsExactly(
                            "core/src/main/java/a/A.java:2: write doc comments as Markdown, each line begins with ///");
        }

        @Test
        void a_star_import_is_named() {
            main("package a;\nimport java.util.*;\nimport java.util.List;\nclass A {}\n");

            assertThat(violations(TidyRules::starImports))
                    .containsExactly("core/src/main/java/a/A.java:2: import each type by its name");
        }

        @Test
        void an_empty_catch_is_named_one_with_a_reason_is_not() {
            main("""
                    package a;
                    class A {
                        void silent() { try { run(); } catch (RuntimeException e) { } }
                        void spoken() { try { run(); } catch (RuntimeException e) { // the peer is gone, which was the aim
                        } }
                        void run() {}
                    }
                    """);

            assertThat(violations(TidyRules::emptyCatches))
                    .containsExactly("core/src/main/java/a/A.java:3: an exception vanishes here: "
                            + "handle it, or say in a comment why it may be lost");
        }

        @Test
        void a_print_in_a_service_is_named_in_the_cli_it_is_not() {
            String text = "package a;\nclass A {\n    void f() {\n        System.out.println(1);\n    }\n}\n";
            planted.main("core", text).main("cli", text).test("core", text);

            assertThat(violations(TidyRules::prints))
                    .containsExactly("core/src/main/java/a/A.java:4: services log, only the command line prints: "
                            + "use an SLF4J logger");
        }

        @Test
        void a_sleeping_test_is_named() {
            test("""
                    package a;
                    class ATest {
                        void f() throws Exception {
                            Thread.sleep(10);
                            TimeUnit.SECONDS.sleep(1);
                            java.util.concurrent.locks.LockSupport.parkNanos(1);
                            sandbox.sleep(1);
                        }
                    }
                    """);
            main("package a;\nclass A {\n    void f() throws Exception { Thread.sleep(10); }\n}\n");

            assertThat(violations(TidyRules::sleepingTests))
                    .hasSize(3)
                    .first()
                    .isEqualTo("core/src/test/java/a/ATest.java:4: a test waits for a condition, not for a time: "
                            + "use Awaitility or a latch");
        }

        @Test
        void a_test_that_is_switched_off_or_mute_is_named() {
            test(
                    "package a;\nclass ATest {\n    @Test\n    @Disabled\n    void works() {}\n    @Test\n    void it_works_well() {}\n}\n");

            assertThat(violations(TidyRules::disabledTests))
                    .containsExactly("core/src/test/java/a/ATest.java:3: a test that is switched off proves nothing: "
                            + "mend or delete it");
            assertThat(violations(TidyRules::testsThatAreNoSentences))
                    .containsExactly("core/src/test/java/a/ATest.java:3: works says too little: "
                            + "name a test as a sentence, the_fence_is_refused_when_stale");
        }

        @Test
        void an_autowired_constructor_is_named() {
            main("package a;\nclass A {\n    @Autowired\n    A(String b) {}\n}\n");

            assertThat(violations(TidyRules::fieldInjection))
                    .containsExactly("core/src/main/java/a/A.java:3: delete @Autowired: "
                            + "a class has one constructor and Spring finds it");
        }

        @Test
        void a_package_without_null_marks_is_named() {
            main("package a;\nclass A {}\n");

            assertThat(TidyRules.packagesWithoutNullMarked(planted.sources()))
                    .containsExactly(
                            "package core:a has no @NullMarked package-info.java: add one that says what it is for");
        }

        private void main(String text) {
            planted.main("core", text);
        }

        private void test(String text) {
            planted.test("core", text);
        }

        private Stream<String> violations(Function<Source, Stream<String>> rule) {
            return planted.sources().stream().flatMap(rule);
        }
    }
}
