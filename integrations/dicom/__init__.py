"""DIMSE peers: one port, listener and sender by pynetdicom, one fake. Nothing heavy is imported before it is used."""

from integrations.dicom.errors import DicomRefused
from integrations.dicom.fake import FakeScu
from integrations.dicom.header import Header, peek, read
from integrations.dicom.listener import Listener, ListenerSettings
from integrations.dicom.objects import Subject, encapsulate_pdf, restamp
from integrations.dicom.port import SUCCESS, Peer, Received, Sender
from integrations.dicom.sender import Scu, SenderSettings

__all__ = ["SUCCESS", "DicomRefused", "FakeScu", "Header", "Listener", "ListenerSettings", "Peer", "Received", "Scu", "Sender",
           "SenderSettings", "Subject", "encapsulate_pdf", "peek", "read", "restamp"]  # fmt: skip
