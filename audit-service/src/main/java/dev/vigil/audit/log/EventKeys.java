package dev.vigil.audit.log;

import dev.vigil.protocol.audit.CreateEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.ExecutionEvent;
import dev.vigil.protocol.audit.PackedEvent;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// What an event can be found by, read out of its canonical bytes.
///
/// @param id        the event's id
/// @param at        when it happened
/// @param eventType such as `task_created`
/// @param action    such as `execute`
/// @param result    success, failure or denied
/// @param about     whom and what it is about
record EventKeys(UUID id, Instant at, String eventType, String action, String result, About about) {
    private static final JsonFactory JSON = new JsonFactory();
    // What an index and a timestamp of the database can hold; one event beyond it would stop all behind it.
    private static final int LABEL_LENGTH_MAX = 200;
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    /// Whom and what an event is about; each part may be absent.
    ///
    /// @param user      who asked for it
    /// @param task      which task
    /// @param execution which execution
    /// @param worker    which worker
    /// @param subject   blind index of the person in the data
    record About(
            @Nullable UUID user,
            @Nullable UUID task,
            @Nullable UUID execution,
            @Nullable UUID worker,
            @Nullable String subject) {}

    /// Reads an event.
    ///
    /// @param canonical its bytes
    /// @return empty when the bytes are no event: no flat JSON object, or its id, time, type, action or
    ///         result is missing or impossible
    static Optional<EventKeys> read(byte[] canonical) {
        return texts(canonical).flatMap(EventKeys::of);
    }

    /// The same of a packed event, as its canonical bytes have them.
    ///
    /// @return empty when its time or its subject is impossible
    static Optional<EventKeys> of(PackedEvent event) {
        if (event.at().isBefore(Instant.EPOCH)) {
            return Optional.empty();
        }
        return switch (event) {
            case CreateEvent created -> of(created);
            case ExecutionEvent executed -> Optional.of(of(executed));
        };
    }

    private static Optional<EventKeys> of(CreateEvent event) {
        String subject = event.subject();
        if (subject != null && subject.length() > LABEL_LENGTH_MAX) {
            return Optional.empty();
        }
        CreateEvent.Made made = event.made();
        var about = new About(made.user(), made.task(), null, null, subject);
        return Optional.of(new EventKeys(
                event.id(),
                event.at(),
                EventType.TASK_CREATED.label(),
                CreateEvent.ACTION,
                Result.SUCCESS.label(),
                about));
    }

    private static EventKeys of(ExecutionEvent event) {
        ExecutionEvent.Subject subject = event.subject();
        var about = new About(subject.user(), subject.task(), subject.execution(), event.worker(), null);
        return new EventKeys(
                event.id(),
                event.at(),
                EventType.TASK_EXECUTION.label(),
                event.action().label(),
                event.result().label(),
                about);
    }

    private static Optional<EventKeys> of(Map<String, String> texts) {
        String type = texts.get("event_type");
        String action = texts.get("action");
        String result = texts.get("result");
        Optional<Instant> at = instant(texts.getOrDefault("timestamp", ""));
        UUID id = uuid(Kind.AUDIT_EVENT, texts.get("id"));
        if (id == null || type == null || action == null || result == null || at.isEmpty()) {
            return Optional.empty();
        }
        boolean tooLong = Stream.of(type, action, result, texts.getOrDefault("subject", ""))
                .anyMatch(label -> label.length() > LABEL_LENGTH_MAX);
        if (tooLong || at.get().isBefore(Instant.EPOCH) || at.get().isAfter(LATEST)) {
            return Optional.empty();
        }
        var about = new About(
                uuid(Kind.USER, texts.get("user_id")),
                uuid(Kind.TASK, texts.get("task_id")),
                uuid(Kind.EXECUTION, texts.get("execution_id")),
                uuid(Kind.WORKER, texts.get("worker_id")),
                texts.get("subject"));
        return Optional.of(new EventKeys(id, at.get(), type, action, result, about));
    }

    private static Optional<Map<String, String>> texts(byte[] canonical) {
        var texts = new HashMap<String, String>();
        try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), canonical)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return Optional.empty();
            }
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (!value.isScalarValue()) {
                    return Optional.empty();
                }
                if (value == JsonToken.VALUE_STRING && json.getString().indexOf('\0') < 0) {
                    texts.put(name, json.getString());
                }
            }
            return json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null
                    ? Optional.of(texts)
                    : Optional.empty();
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    private static Optional<Instant> instant(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    private static @Nullable UUID uuid(Kind kind, @Nullable String text) {
        return text == null ? null : Id.parse(kind, text).map(Id::uuid).orElse(null);
    }
}
