package dev.vigil.api.task;

import dev.vigil.api.ApiService;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// The service in a process of its own, until its input ends. The first line of the input are its settings.
final class BulkProcess {
    private BulkProcess() {}

    public static void main(String[] arguments) throws IOException {
        byte[] settings = System.in.readNBytes(Integer.parseInt(arguments[0]));
        Map<String, Object> read = JsonMapper.shared()
                .readValue(new String(settings, StandardCharsets.UTF_8), new TypeReference<Map<String, Object>>() {});
        try (var service = ApiService.start(read)) {
            System.out.println("ready " + service.getId());
            while (System.in.read() >= 0) {
                // Waits for the end.
            }
        }
    }
}
