//! Numeric limits, each with its source. Lengths are UTF-16 units.

/// Characters of a text message. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages>.
pub const TEXT_MAX: usize = 4096;
/// Characters of the text of a message with buttons or a list: the smaller of Meta's values (4096
/// for lists by its guide, 1024 by its `OpenAPI` file). See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BODY_MAX: usize = 1024;
/// Characters of a header line. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const HEADER_MAX: usize = 60;
/// Characters of a footer. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const FOOTER_MAX: usize = 60;
/// Reply buttons of one message. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTONS_MAX: usize = 3;
/// Characters of a button's id. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTON_ID_MAX: usize = 256;
/// Characters of a button's title. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const BUTTON_TITLE_MAX: usize = 20;
/// Characters on the button that opens a list. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const LIST_BUTTON_MAX: usize = 20;
/// Sections of a list. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const SECTIONS_MAX: usize = 10;
/// Characters of a section's title, which is required when there are several sections. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const SECTION_TITLE_MAX: usize = 24;
/// Rows of a list, over all its sections. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROWS_MAX: usize = 10;
/// Characters of a row's id. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_ID_MAX: usize = 200;
/// Characters of a row's title. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_TITLE_MAX: usize = 24;
/// Characters of a row's second line. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages>.
pub const ROW_DESCRIPTION_MAX: usize = 72;
/// Characters of the caption of an image, video or document. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages>.
pub const CAPTION_MAX: usize = 1024;
/// Characters of a document's file name. Meta documents no limit; common file systems take this
/// many. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/document-messages>.
pub const FILENAME_MAX: usize = 240;
/// Characters of a link. Meta documents no limit; browsers and servers commonly take this many. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages>.
pub const LINK_MAX: usize = 2048;
/// Characters of the text on one card of a carousel. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages>.
pub const CARD_BODY_MAX: usize = 160;
/// Line breaks in the text on one card of a carousel. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages>.
pub const CARD_LINE_BREAKS_MAX: usize = 2;
/// Cards of a carousel; fewer than two are refused too. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages>.
pub const CARDS_MAX: usize = 10;
/// Characters on the button of a link or on a card. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-cta-url-messages>.
pub const LINK_TITLE_MAX: usize = 20;
/// Characters on the button of a form, as Meta advises; an emoji is refused there. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/sendingaflow>.
pub const FORM_BUTTON_MAX: usize = 30;
/// Products of one message, over all its sections. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
pub const PRODUCTS_MAX: usize = 30;
/// Contact cards of one message: the smaller of Meta's values (257 by its guide, 5 by its `OpenAPI`
/// file). See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages>.
pub const CONTACTS_MAX: usize = 5;
/// Characters of a template's name. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview>.
pub const TEMPLATE_NAME_MAX: usize = 512;
/// Characters of one value in a template, which is the limit of its text after all values are
/// filled in. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
pub const TEMPLATE_VALUE_MAX: usize = 1024;
/// Buttons of a template. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
pub const TEMPLATE_BUTTONS_MAX: usize = 10;
/// Characters of a code to copy. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>.
pub const COPY_CODE_MAX: usize = 15;
/// Characters of `biz_opaque_callback_data`, which receipts return. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.
pub const TAG_MAX: usize = 512;
