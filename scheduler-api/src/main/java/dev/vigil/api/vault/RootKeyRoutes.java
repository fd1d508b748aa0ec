package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import java.util.List;

/// Rotation of the root key.
final class RootKeyRoutes implements Routes {
    private final RootKeyRotation rotation;

    RootKeyRoutes(RootKeyRotation rotation) {
        this.rotation = rotation;
    }

    @Override
    public List<Route> all() {
        return List.of(Route.post("/api/v1/root-key:rotate", "rotateRootKey")
                .about("Secrets", "Change to another root key: keys are wrapped anew, no payload is touched")
                .roles()
                .scope(Scope.SECRETS_MANAGE)
                .answers(200, "RootKeyRotation")
                .handler(this::rotate));
    }

    private Answer rotate(Call call) {
        try {
            return Answer.json(200, rotation.rotate(call.caller().id()));
        } catch (VaultException e) {
            throw new ProblemException(Code.CONFLICT, "The root key was not rotated: " + e.getMessage());
        }
    }
}
