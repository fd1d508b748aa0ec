-- A token admits workers, so its row is sealed like theirs: what SQL wrote, or set back, admits nobody. Rows of before
-- have no seal; a token lives a day at most.
ALTER TABLE vault.join_token ADD COLUMN mac bytea;
GRANT UPDATE (mac) ON vault.join_token TO vigil_api;
