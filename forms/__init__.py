"""What people fill: form definitions, their compiler to marshmallow schemas, and the rendering model."""
