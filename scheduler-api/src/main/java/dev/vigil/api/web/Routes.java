package dev.vigil.api.web;

import java.util.List;

/// The routes of one feature. Every bean of this type is part of the one table.
public interface Routes {
    List<Route> all();
}
