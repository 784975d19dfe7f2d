-- Events of any kind, each with a handler of its own: clicks, changed questions, forms.
ALTER TABLE inbox DROP CONSTRAINT inbox_kind_check;
ALTER TABLE inbox ADD CHECK (kind ~ '^[a-z_]+$');
