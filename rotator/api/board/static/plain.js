// Text of others as the service shows it in a page: nothing in it turns the line about, or stands there unseen.

export const plain = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\uFFFD");
